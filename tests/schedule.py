"""Pytest plugin: how many workers a parallel run has, which tests keep together, and how tests are named.

Loaded by `-p tests.schedule`. A module's tests run in one worker, since they may share what the module set up. Folders
whose tests share something dear for the whole session (a browser, an S3 server) keep together as well.
"""

import os

import psutil
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

#: What these tests use is started once for all of them: no second worker starts another.
TOGETHER = {
    "tests/browser/": "a browser",
    "tests/integration/audit/keeping/test_worm_on_s3.py": "an S3 server",
    "tests/integration/audit/stores/": "an S3 server",
}
#: What takes longest begins first, so that no worker is left alone with it at the end.
FIRST = (
    "tests/integration/stack/",
    "tests/browser/",
    "tests/integration/audit/stores/",
    "tests/integration/api/test_schemathesis.py",
    "tests/interop/",
)
MOST_WORKERS = 8
LONGEST_NAME = 40
BYTES_A_WORKER = 1_500_000_000


class ByModule(LoadScopeScheduling):
    """Gives each worker a module at a time, in the order of the collection."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::", maxsplit=1)[0]
        return next((shared for start, shared in TOGETHER.items() if path.startswith(start)), path)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """Spread tests by module, unless `--dist` says otherwise."""
    if config.option.dist != "load":
        return None
    config.option.loadscopereorder = False  # the collection's order counts, not how many tests a module has
    return ByModule(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let a worker begin with what takes longest; all else stays as it was shuffled."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: not item.nodeid.startswith(FIRST))


def pytest_xdist_auto_num_workers() -> int:
    """Return the workers of `-n auto`: one for each core that this process may use and that has memory to go with it.

    A single worker would gain nothing: then the tests run in the process at the terminal (0).
    """
    memory = psutil.virtual_memory().available // BYTES_A_WORKER
    workers = min(_usable_cores(), memory, MOST_WORKERS)
    return workers if workers > 1 else 0


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a long or binary parameter by its argument, and leave the others to pytest.

    All workers must name a test alike, and such parameters are often fresh keys or hold the time.
    """
    text = val.decode("latin-1") if isinstance(val, bytes) else val
    if isinstance(text, str) and (len(text) > LONGEST_NAME or not text.isprintable()):
        return argname
    return None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how to run in this order again, also where `-q` leaves out the header that says it."""
    seed = config.getoption("randomly_seed", None)
    if seed is not None:
        terminalreporter.write_line(f"Shuffled by pytest-randomly: --randomly-seed={seed}")


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
