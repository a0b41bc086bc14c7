"""Child processes: ended whole, watched, and never outliving their supervisor."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from scripts.stack.errors import ProcessDied, StackError
from scripts.stack.leftovers import wait_ended
from scripts.stack.places import ROOT
from scripts.stack.process import ManagedProcess, ProcessSpec
from scripts.stack.supervisor import Supervisor
from tests.waiting import PATIENCE_SECONDS, wait_until

SLEEP = "import time; print('begun', flush=True); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"
WITH_CHILD = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]); {SLEEP}"
SUPERVISOR = """
import sys, time
from pathlib import Path
from tests.integration.scripts.stack.test_process import sleeper
process = sleeper(Path(sys.argv[1]), "child")
process.start()
print(process.pid, flush=True)
time.sleep(600)
"""


def sleeper(home: Path, name: str, code: str = SLEEP) -> ManagedProcess:
    """Return a process that runs Python code and so far has not been started."""
    spec = ProcessSpec(name=name, command=[sys.executable, "-c", code], cwd=ROOT, env=dict(os.environ))
    return ManagedProcess(spec=spec, log=home / f"{name}.log")


@pytest.fixture
def start(home: Path) -> Iterator[Callable[..., ManagedProcess]]:
    """Start processes that have begun their code when it returns, and kill them after the test."""
    started: list[ManagedProcess] = []

    def start_one(name: str, code: str = SLEEP) -> ManagedProcess:
        process = sleeper(home, name, code)
        started.append(process)
        process.start()
        process.wait_until(lambda: "begun" in process.tail(), seconds=PATIENCE_SECONDS)
        return process

    yield start_one
    for process in started:
        process.kill()


def test_a_stopped_process_is_not_counted_as_died(start: Callable[..., ManagedProcess]) -> None:
    process = start("child")
    process.stop()
    process.check()
    assert not process.running


def test_a_stubborn_process_is_killed_after_the_deadline(start: Callable[..., ManagedProcess]) -> None:
    process = start("stubborn", STUBBORN)
    process.stop(seconds=0.2)
    assert not process.running


def test_killing_takes_the_children_along(start: Callable[..., ManagedProcess]) -> None:
    process = start("parent", WITH_CHILD)
    children = psutil.Process(process.pid).children()
    process.kill()
    assert len(children) == 1
    assert wait_ended(*children, seconds=PATIENCE_SECONDS)


def test_stopping_takes_stubborn_children_along(start: Callable[..., ManagedProcess]) -> None:
    process = start("parent", WITH_CHILD)
    children = psutil.Process(process.pid).children()
    process.stop()
    assert wait_ended(*children, seconds=PATIENCE_SECONDS)


def test_a_process_that_dies_is_reported_with_the_end_of_its_log(start: Callable[..., ManagedProcess]) -> None:
    process = start("child", "print('begun', flush=True); raise SystemExit('the disk is on fire')")
    wait_until(lambda: not process.running)
    with pytest.raises(ProcessDied, match=r"child ended with exit code 1; the end of .*(?s:.)*the disk is on fire"):
        process.check()


def test_a_process_killed_from_outside_is_reported(start: Callable[..., ManagedProcess]) -> None:
    process = start("child")
    os.kill(process.pid or 0, signal.SIGKILL)
    wait_until(lambda: not process.running)
    with pytest.raises(ProcessDied, match="child was killed by SIGKILL"):
        process.check()


def test_a_process_that_is_never_ready_is_reported(start: Callable[..., ManagedProcess]) -> None:
    process = start("child")
    with pytest.raises(StackError, match="child was not ready after 0 s"):
        process.wait_until(lambda: False, seconds=0.1)


def test_a_program_that_does_not_exist_is_reported(home: Path) -> None:
    spec = ProcessSpec(name="ghost", command=["/nowhere/ghost"], cwd=ROOT, env={})
    process = ManagedProcess(spec=spec, log=home / "ghost.log")
    process.start()
    with pytest.raises(ProcessDied, match=r"ghost ended with exit code 1(?s:.)*No such file"):
        process.wait_until(lambda: False, seconds=PATIENCE_SECONDS)


def test_a_running_process_is_not_started_twice(start: Callable[..., ManagedProcess]) -> None:
    process = start("child")
    with pytest.raises(StackError, match="child runs already"):
        process.start()


def test_a_killed_process_can_be_started_again(start: Callable[..., ManagedProcess]) -> None:
    process = start("child")
    first = process.pid
    process.kill()
    process.start()
    assert process.running
    assert process.pid != first


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_children_die_with_a_supervisor_that_is_killed(home: Path) -> None:
    command = [sys.executable, "-c", SUPERVISOR, str(home)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        child = psutil.Process(int(supervisor.stdout.readline()))
        supervisor.kill()
    assert wait_ended(child, seconds=PATIENCE_SECONDS)


def test_stopping_all_leaves_the_excepted_running(start: Callable[..., ManagedProcess]) -> None:
    supervisor = Supervisor()
    one, two = start("one"), start("two")
    supervisor.add(one)
    supervisor.add(two)
    supervisor.stop_all(but=["two"])
    assert (one.running, two.running) == (False, True)


def test_watching_ends_with_the_process_that_dies(start: Callable[..., ManagedProcess]) -> None:
    supervisor = Supervisor()
    supervisor.add(start("short", "import time; print('begun', flush=True); time.sleep(0.3)"))
    supervisor.add(start("long"))
    with pytest.raises(ProcessDied, match="short ended with exit code 0"):
        supervisor.watch(every=0.05)


def test_an_unknown_process_is_refused_with_the_known(start: Callable[..., ManagedProcess]) -> None:
    supervisor = Supervisor()
    supervisor.add(start("one"))
    with pytest.raises(StackError, match="no process two: choose from one"):
        supervisor.get("two")
