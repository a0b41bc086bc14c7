"""How to tell that a process of the product does its work, rather than only exists."""

import http.client
from dataclasses import dataclass

from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from scripts.stack.ports import HOST

PROBE_SECONDS = 1.0


def web_is_ready(port: int) -> bool:
    """Return whether the web server on that port answers its health check."""
    return answers_ok(port, "/healthz")


def answers_ok(port: int, path: str) -> bool:
    """Return whether the HTTP server on that port of 127.0.0.1 answers GET `path` with status 200 now."""
    connection = http.client.HTTPConnection(HOST, port, timeout=PROBE_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@dataclass(frozen=True, slots=True)
class WorkerProbe:
    """Asks Celery workers over the broker whether they take messages."""

    broker_url: str

    def is_ready(self, node: str) -> bool:
        """Return whether the worker of that node name answers. A new connection each time: the broker may restart."""
        try:
            with Celery("assent-probe", broker=self.broker_url, set_as_current=False) as app, app.connection() as link:
                answers = app.control.ping(destination=[node], timeout=PROBE_SECONDS, limit=1, connection=link)
        except (OperationalError, RedisError, OSError):
            return False
        return bool(answers)
