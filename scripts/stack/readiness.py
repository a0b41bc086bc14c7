"""How to tell that a process of the product does its work, rather than only exists."""

import http.client
from dataclasses import dataclass, field

from celery import Celery
from kombu.exceptions import OperationalError

from scripts.stack.ports import HOST

PROBE_SECONDS = 1.0


def web_is_ready(port: int) -> bool:
    """Say whether the web server on that port answers its health check."""
    connection = http.client.HTTPConnection(HOST, port, timeout=PROBE_SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@dataclass(slots=True)
class WorkerProbe:
    """Asks Celery workers over the broker whether they take messages."""

    broker_url: str
    _app: Celery = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Connect to nothing yet."""
        self._app = Celery("assent-probe", broker=self.broker_url, set_as_current=False)

    def is_ready(self, node: str) -> bool:
        """Say whether the worker of that node name answers."""
        try:
            return bool(self._app.control.ping(destination=[node], timeout=PROBE_SECONDS, limit=1))
        except OperationalError:
            return False
