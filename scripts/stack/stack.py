"""One whole Assent on this machine: database, broker, web server, workers and scheduler, ended together."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from psycopg.conninfo import conninfo_to_dict

from scripts.stack import application
from scripts.stack.errors import StackError
from scripts.stack.opa import CONFIG_NAME, EmbeddedOpa
from scripts.stack.places import ROOT, make_writable, only_user_of
from scripts.stack.ports import HOST, PortReservation, reserve_port
from scripts.stack.postgres import EmbeddedPostgres
from scripts.stack.process import ManagedProcess
from scripts.stack.readiness import WorkerProbe, web_is_ready
from scripts.stack.supervisor import Supervisor, ending_signals, undisturbed
from scripts.stack.valkey import EmbeddedValkey, answers
from scripts.stack.witness import EmbeddedWitness

SETTINGS = "governance.config.settings.dev"
# A web server that ends waits for those who wait for it; OPA polls again at once.
LONG_POLL_SECONDS = 5
OWNER_URL = "ASSENT_MIGRATION_DATABASE_URL"


class Stack:
    """A context manager: inside it everything runs and is ready; leaving it ends every process.

    `data_dir` holds all that is written: `postgres/ valkey/ data/ logs/`. `env` is given to every process;
    `DATABASE_URL` or `REDIS_URL` in it means that server from outside instead of an embedded one; with
    `ASSENT_MIGRATION_DATABASE_URL` beside it, that one names the owner of the tables, who alone migrates. `seed` is a
    management command that runs after the migration, while the processes of the product start. With
    `ASSENT_POLICY_ENGINE` `opa` in `env`, and no `OPA_URL`, an OPA server is started that pulls its policy from here.
    Without `ASSENT_WITNESSES` in `env` there is one witness of our own, which has to cosign every checkpoint.

    The processes are `postgres`, `valkey`, `witness`, `web`, `worker` (more: `worker-2` and on), `control`,
    `scheduler`, and perhaps `opa`.
    Times of the steps of the start, in seconds, are in `timings`. All methods raise StackError, and ProcessDied
    where a process ended unasked. Use it from the main thread.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int | None = None,
        worker_count: int = 1,
        env: Mapping[str, str] | None = None,
        seed: Sequence[str] = (),
    ) -> None:
        """Nothing is started or written yet. Without `port` the web server takes any free one."""
        self.data_dir = data_dir.absolute()
        self.logs = self.data_dir / "logs"
        self.timings: dict[str, float] = {}
        self._wanted_port = port
        self._worker_count = worker_count
        self._seed = seed
        self._given = dict(env or {})
        self._token = secrets.token_hex(4)  # tells this stack's workers from others on a shared broker
        self._supervisor = Supervisor()
        self._cleanup = ExitStack()
        self._web_port: PortReservation | None = None
        self._database_url = self._given.get("DATABASE_URL", "")
        self._owner_url = self._given.pop(OWNER_URL, self._database_url)  # no process of the product may know it
        self._redis_url = self._given.get("REDIS_URL", "")
        self._opa: EmbeddedOpa | None = None
        if self._given.get("ASSENT_POLICY_ENGINE") == "opa" and not self._given.get("OPA_URL"):
            self._opa = EmbeddedOpa(self.data_dir / "opa", log=self.logs / "opa.log", config=self._opa_configuration)
        self._witness: EmbeddedWitness | None = None
        if "ASSENT_WITNESSES" not in self._given:
            self._witness = EmbeddedWitness(self.data_dir / "witness", log=self.logs / "witness.log")

    @property
    def web_url(self) -> str:
        """`http://127.0.0.1:port`, without a slash at the end."""
        if self._web_port is None:
            raise StackError("The stack has not been started.")
        return f"http://{HOST}:{self._web_port.port}"

    @property
    def env(self) -> dict[str, str]:
        """The environment of every process of the product."""
        return {name: value for name, value in {**os.environ, **self.settings}.items() if name != OWNER_URL}

    @property
    def settings(self) -> dict[str, str]:
        """The variables that a process, or a person's shell, needs to be part of this stack."""
        return {
            "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", SETTINGS),
            "ASSENT_DATA_DIR": str(self.data_dir / "data"),
            "ASSENT_STATIC_ROOT": str(self.data_dir / "static"),
            "PYTHONUNBUFFERED": "1",
            "ASSENT_OPA_WAIT_SECONDS": str(LONG_POLL_SECONDS),
            **({"OPA_URL": self._opa.url} if self._opa else {}),
            **({"ASSENT_WITNESSES": self._witness.setting} if self._witness else {}),
            **self._given,
            "DATABASE_URL": self._database_url,
            **({"ASSENT_DATABASE_ROLE": "application"} if self._owner_url != self._database_url else {}),
            "REDIS_URL": self._redis_url,
        }

    def manage(self, *arguments: str, allowed: Collection[int] = (0,), as_owner: bool = False) -> str:
        """Run a management command and return its standard output; `as_owner` of the tables, which migrations need.

        Raises StackError, with the end of its output, for an exit code that is not among `allowed`.
        """
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        env = self.env | ({"DATABASE_URL": self._owner_url, "ASSENT_DATABASE_ROLE": "owner"} if as_owner else {})
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        with (self.logs / "manage.log").open("a", encoding="utf-8") as log:
            log.write(f"$ manage.py {' '.join(arguments)}\n{done.stdout}{done.stderr}\n")
        if done.returncode not in allowed:
            tail = "\n".join(f"    {line}" for line in (done.stderr or done.stdout).splitlines()[-15:])
            raise StackError(f"manage.py {arguments[0]} failed with exit code {done.returncode}:\n{tail}")
        return done.stdout

    def start_process(self, name: str) -> None:
        """Start a process that was stopped or killed, and wait until it is ready."""
        if name == "web" and self._web_port is not None:
            self._web_port.release()
        self._supervisor.launch(name)
        self._supervisor.wait_ready(name)

    def stop_process(self, name: str) -> None:
        """Stop a process after it has finished its work."""
        self._supervisor.get(name).stop()

    def kill(self, name: str) -> None:
        """End a process and its children at once (SIGKILL); `check` does not count it as died."""
        self._supervisor.get(name).kill()

    def process(self, name: str) -> ManagedProcess:
        """Return a process by name, for its `pid`, `running` and `tail`."""
        return self._supervisor.get(name)

    def check(self) -> None:
        """Raise ProcessDied, with the end of its log, where a process ended although it was not stopped."""
        self._supervisor.check()

    def watch(self) -> None:
        """Check until a process dies (ProcessDied) or a signal ends this program (KeyboardInterrupt)."""
        self._supervisor.watch()

    def __enter__(self) -> Self:
        with ExitStack() as cleanup:
            cleanup.enter_context(ending_signals())
            make_writable(self.data_dir)
            cleanup.enter_context(only_user_of(self.data_dir))
            for folder in (self.logs, self.data_dir / "data", self.data_dir / "static"):
                make_writable(folder)
            self._web_port = reserve_port(self._wanted_port)
            cleanup.callback(self._web_port.release)
            self._start_servers(cleanup)
            with self._timed("migrate"):
                self._migrate()
            if self._opa is not None:
                cleanup.callback(_undisturbed_stop, self._opa)
            cleanup.callback(self._stop_application)
            self._start_application()
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cleanup.close()

    def _migrate(self) -> None:
        """Bring the tables up to date, and give the application's role its rights where it has one of its own."""
        if self._owner_url == self._database_url:
            self.manage("migrate", "--no-input", "--verbosity=0")
            return
        role = str(conninfo_to_dict(self._database_url).get("user", ""))
        self.manage("database", "prepare", "--role", role, as_owner=True)

    def _start_servers(self, cleanup: ExitStack) -> None:
        servers: list[EmbeddedPostgres | EmbeddedValkey | EmbeddedWitness] = []
        if self._redis_url and not answers(self._redis_url):
            raise StackError("The server of REDIS_URL does not answer: start it, or correct the URL.")
        if not self._redis_url:
            servers.append(EmbeddedValkey(self.data_dir / "valkey", log=self.logs / "valkey.log"))
        if not self._database_url:
            servers.append(EmbeddedPostgres(self.data_dir / "postgres", log=self.logs / "postgres.log"))
        if self._witness is not None:
            servers.append(self._witness)
        with self._timed("servers"):
            for server in servers:
                cleanup.callback(_undisturbed_stop, server)
                process = server.launch()
                self._supervisor.add(process, ready=server.is_ready)
            for server in servers:
                server.wait_ready()
        for server in servers:
            if isinstance(server, EmbeddedPostgres):
                self._database_url, self._owner_url = server.application_url, server.url
            elif isinstance(server, EmbeddedValkey):
                self._redis_url = server.url

    def _start_application(self) -> None:
        names = self._add_application()
        if self._web_port is not None:
            self._web_port.release()
        with self._timed("processes"):
            for name in names:
                if name == "control":
                    self._enrol_log()  # while the others start; only this one asks the witness
                self._supervisor.launch(name)
            if self._seed:
                with self._timed("seed"):
                    self.manage(*self._seed)
            if self._opa is not None:
                self._supervisor.wait_ready("web")
                self._supervisor.add(self._opa.launch(), ready=self._opa.is_ready)
                names.append("opa")
            for name in names:
                self._supervisor.wait_ready(name)
        self._supervisor.check()

    def _enrol_log(self) -> None:
        if self._witness is not None:
            self._witness.watch(self.manage("log_vkey"))

    def _opa_configuration(self) -> str:
        """Enrol the OPA server and return its configuration, through a file: what commands print goes to the log."""
        place = make_writable(self.data_dir / "opa") / CONFIG_NAME
        self.manage("opa", "enrol", "local", "--or-renew", "--url", self.web_url, "--output", str(place))
        return place.read_text(encoding="utf-8")

    def _add_application(self) -> list[str]:
        env, logs, probe = self.env, self.logs, WorkerProbe(self._redis_url)
        port = self._web_port.port if self._web_port is not None else 0
        self._supervisor.add(application.web(port, env=env, logs=logs), ready=lambda: web_is_ready(port))
        workers = {f"worker-{number}" if number > 1 else "worker": "inference,moderation" for number in self._numbers}
        for name, queues in {**workers, "control": "control"}.items():
            node = f"{name}@{self._token}"
            process = application.worker(name, node=node, queues=queues, env=env, logs=logs)
            self._supervisor.add(process, ready=partial(probe.is_ready, node))
        self._supervisor.add(application.scheduler(env=env, logs=logs))
        return ["web", *workers, "control", "scheduler"]

    @property
    def _numbers(self) -> range:
        return range(1, self._worker_count + 1)

    def _stop_application(self) -> None:
        with undisturbed():
            self._supervisor.stop_all(but=("postgres", "valkey", "opa", "witness"))

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self.timings[step] = round(time.monotonic() - begun, 2)


def _undisturbed_stop(server: EmbeddedPostgres | EmbeddedValkey | EmbeddedWitness | EmbeddedOpa) -> None:
    with undisturbed():
        server.stop()
