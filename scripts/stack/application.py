"""The processes of the product itself: web server, workers and scheduler, each with its command line."""

import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from scripts.stack.places import ROOT
from scripts.stack.ports import HOST
from scripts.stack.process import ManagedProcess, ProcessSpec

CELERY = (sys.executable, "-m", "celery", "-A", "governance.config.celery")
WEB_THREADS = 8
WORKER_THREADS = 2
#: A nightly reconciliation and a scrub at once must leave room for the rounds of the log.
CONTROL_THREADS = 4


def web(port: int, *, env: Mapping[str, str], logs: Path) -> ManagedProcess:
    """Return the web server: granian, serving WSGI on that port of 127.0.0.1."""
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(port)]
    command += ["--workers", "1", "--blocking-threads", str(WEB_THREADS), "--no-ws", "--access-log"]
    spec = ProcessSpec(name="web", command=[*command, "governance.config.wsgi:application"], cwd=ROOT, env=env)
    return ManagedProcess(spec=spec, log=logs / "web.log")


def worker(name: str, *, node: str, queues: str, env: Mapping[str, str], logs: Path) -> ManagedProcess:
    """Return a Celery worker with threads for the given queues (names separated by commas)."""
    threads = CONTROL_THREADS if queues == "control" else WORKER_THREADS
    command = [*CELERY, "worker", "--pool=threads", f"--concurrency={threads}", "-Q", queues, "-n", node]
    # Workers need not know of each other; looking for each other would cost a second at every start.
    command += ["--without-gossip", "--without-mingle", "--loglevel=INFO"]
    # With its supervisor gone a worker must not linger over its jobs: their leases end and others take them.
    only = {**env, "ASSENT_WORKER_TASKS": queues}  # what a pool does not do, it does not load: torch, above all
    spec = ProcessSpec(name=name, command=command, cwd=ROOT, env=only, death_signal=signal.SIGKILL)
    return ManagedProcess(spec=spec, log=logs / f"{name}.log")


def scheduler(*, env: Mapping[str, str], logs: Path) -> ManagedProcess:
    """Return the process that starts the periodic tasks."""
    command = [*CELERY, "beat", "--pidfile=", "--loglevel=INFO"]
    only = {**env, "ASSENT_WORKER_TASKS": "control"}
    spec = ProcessSpec(name="scheduler", command=command, cwd=ROOT, env=only)
    return ManagedProcess(spec=spec, log=logs / "scheduler.log")
