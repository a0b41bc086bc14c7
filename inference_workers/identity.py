"""The name of a worker process."""

import os
import socket


def worker_name() -> str:
    """Return this process's name in leases and ledger: host and process id."""
    return f"{socket.gethostname()}:{os.getpid()}"
