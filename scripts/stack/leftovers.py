"""Processes that outlived the run that started them."""

import signal
import time

import psutil


def has_ended(process: psutil.Process) -> bool:
    """Return whether the process does nothing any more. A zombie does not; in a container it may stay one for good."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_ended(*processes: psutil.Process, seconds: float) -> bool:
    """Wait until all have ended; return whether they did in time."""
    deadline = time.monotonic() + seconds
    while not all(has_ended(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(0.05)
    return all(has_ended(process) for process in processes)


def end(process: psutil.Process, number: signal.Signals, *, seconds: float) -> None:
    """Send the signal and wait for the end; after that time send SIGKILL. Raises psutil.Error where it may not."""
    process.send_signal(number)
    if not wait_ended(process, seconds=seconds):
        process.kill()
        wait_ended(process, seconds=seconds)
