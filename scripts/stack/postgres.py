"""A real PostgreSQL 18 from its wheel, on a Unix socket of its own, as root or as an ordinary user."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from scripts.stack.errors import StackError
from scripts.stack.leftovers import end
from scripts.stack.places import release_socket_directory, socket_directory
from scripts.stack.postgres_files import MAJOR, home_for, programs
from scripts.stack.process import ManagedProcess, ProcessSpec
from scripts.stack.server import EmbeddedServer
from scripts.stack.service_user import postgres_user

SUPERUSER = "postgres"
ROLE = "assent"
#: What the application connects as: it owns nothing, and gets its rights from `manage.py database`.
APPLICATION_ROLE = "assent_app"
DATABASE = "assent"
SOCKET_NAME = ".s.PGSQL.5432"
LEFTOVER_SECONDS = 30.0
# The owner of the data is no superuser, as it would not be in production.
FIRST_STATEMENTS = f"CREATE ROLE {ROLE} LOGIN CREATEDB;\nCREATE DATABASE {DATABASE} OWNER {ROLE};\n"
# The owner may act as the application, which has fewer rights, and never the other way round.
APPLICATION_STATEMENTS = (
    f"CREATE ROLE {APPLICATION_ROLE} LOGIN",
    f"GRANT {APPLICATION_ROLE} TO {ROLE} WITH INHERIT FALSE, SET TRUE",
)
CLUSTER_OPTIONS = (
    *("--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8"),
    # Sorted the same on every machine, whatever locales it has.
    *("--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
)
PID_LINE, STATUS_LINE = 0, 7  # lines of postmaster.pid (pidfile.h)


class EmbeddedPostgres(EmbeddedServer):
    """One database cluster in one directory, kept between starts.

    Only processes of this system user can reach it: the socket's directory is private, and there is no TCP port.
    `durable=False` leaves out fsync: for tests, whose data need not outlive a power cut.
    """

    label = "PostgreSQL"

    def __init__(self, directory: Path, *, log: Path, durable: bool = True, max_connections: int = 100) -> None:
        """Nothing is written before `prepare` or `start`; `log` gets the server's own messages."""
        super().__init__(log=log)
        self._wanted = directory
        self._durable = durable
        self._max_connections = max_connections
        self._user = postgres_user()
        self._home: Path | None = None
        self._socket: Path | None = None

    @property
    def url(self) -> str:
        """The connection URI (libpq, section 34.1.1.2); known from `prepare` on, before the server answers."""
        return self._url(ROLE, DATABASE)

    @property
    def application_url(self) -> str:
        """The same database as a role that owns nothing."""
        return self._url(APPLICATION_ROLE, DATABASE)

    @property
    def superuser_url(self) -> str:
        """The same database as a superuser: for tests that reach behind everything."""
        return self._url(SUPERUSER, DATABASE)

    def _url(self, role: str, database: str) -> str:
        return f"postgresql://{role}@/{database}?host={quote(str(self.prepare()), safe='/')}"

    def prepare(self) -> Path:
        """Make the home and return the socket's directory. Raises StackError where they cannot be written."""
        if self._home is None or self._socket is None:
            self._home = home_for(self._user, self._wanted)
            _end_leftover(self._home / "cluster")
            self._socket = self._give(socket_directory(self._home, SOCKET_NAME))
        return self._socket

    def launch(self) -> ManagedProcess:
        """Start the server, its cluster made first where there is none, without waiting for it."""
        self.prepare()
        if not self._cluster.exists():
            self._make_cluster()
        found = (self._cluster / "PG_VERSION").read_text().strip()
        if found != MAJOR:
            raise StackError(f"{self._wanted} holds data of PostgreSQL {found}, not {MAJOR}: move it away.")
        self._forget_pid_file()
        spec = ProcessSpec(
            name="postgres",
            command=[str(programs(self._user) / "postgres"), "-D", str(self._cluster), *self._options()],
            cwd=self._cluster.parent,
            env=_environment(),
            stop_signal=signal.SIGINT,  # fast shutdown: open connections are ended
            death_signal=signal.SIGINT,
            user=self._user,
        )
        return self._launch(spec)

    def wait_ready(self) -> None:
        """Wait until the server takes connections. Raises ProcessDied or StackError with the end of its log."""
        super().wait_ready()
        self._ensure_application_role()

    def _ensure_application_role(self) -> None:
        """Make the application's role; clusters from before there was one lack it."""
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [APPLICATION_ROLE]).fetchone()
            for statement in () if known is not None else APPLICATION_STATEMENTS:
                connection.execute(statement)

    def stop(self) -> None:
        """Shut the server down and remove its socket; no effect where it does not run."""
        super().stop()
        if self._home is not None:
            release_socket_directory(self._home)
        self._home = self._socket = None

    @property
    def _cluster(self) -> Path:
        return (self._home or self._wanted) / "cluster"

    def _options(self) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.prepare()),
            "unix_socket_permissions": "0700",
            "max_connections": str(self._max_connections),
            "shared_buffers": "64MB",
            "fsync": "on" if self._durable else "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _make_cluster(self) -> None:
        # Made aside and then renamed, so that a cluster that exists is whole even where an earlier run was killed here.
        half = self._cluster.with_name("cluster.new")
        shutil.rmtree(half, ignore_errors=True)
        tools = programs(self._user)
        initdb = [str(tools / "initdb"), "--pgdata", str(half)]
        self._run([*initdb, *CLUSTER_OPTIONS, "--no-sync"])
        single = [str(tools / "postgres"), "--single", "-c", "fsync=off", "-D", str(half), "postgres"]
        self._run(single, given=FIRST_STATEMENTS)
        if self._durable:  # once for all files takes a tenth of the time that file by file takes
            self._run([*initdb, "--sync-only", *(["--sync-method=syncfs"] if sys.platform == "linux" else [])])
        half.rename(self._cluster)

    def _run(self, command: Sequence[str], *, given: str = "") -> None:
        user = self._user
        identity = {"user": user.uid, "group": user.gid, "extra_groups": []} if user else {}
        done = subprocess.run(  # type: ignore[call-overload]
            command, input=given, cwd="/", env=_environment(), capture_output=True, text=True, check=False, **identity
        )
        # The single-user server reports a failed statement, yet ends with 0.
        if done.returncode != 0 or re.search(r"^.*(ERROR|FATAL|PANIC):", done.stderr, re.MULTILINE):
            words = " ".join(done.stderr.split())[-400:]
            raise StackError(f"{Path(command[0]).name} could not make a database in {self._wanted}: {words}")

    def _give(self, directory: Path) -> Path:
        if self._user is not None:
            os.chown(directory, self._user.uid, self._user.gid)
        return directory

    def is_ready(self) -> bool:
        """Return whether the server takes connections now."""
        lines = _pid_file_lines(self._cluster)
        process = self.process
        return (
            process is not None
            and len(lines) > STATUS_LINE
            and lines[PID_LINE].strip() == str(process.pid)
            and lines[STATUS_LINE].strip() == "ready"
        )

    def _forget_pid_file(self) -> None:
        # `prepare` made sure that no server has this cluster. Left in place, the number of a killed server that now
        # belongs to some other process would keep this one from starting.
        (self._cluster / "postmaster.pid").unlink(missing_ok=True)


def _pid_file_lines(cluster: Path) -> list[str]:
    try:
        return (cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _end_leftover(cluster: Path) -> None:
    """End a server that outlived the process that started it. Nobody else needs it: the caller holds the directory."""
    lines = _pid_file_lines(cluster)
    with contextlib.suppress(psutil.Error, ValueError, IndexError):
        process = psutil.Process(int(lines[PID_LINE]))
        if str(cluster) in process.cmdline():
            end(process, signal.SIGINT, seconds=LEFTOVER_SECONDS)


def _environment() -> dict[str, str]:
    """Return a small environment: libpq's PG* variables of the person at the terminal must not reach the server."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
