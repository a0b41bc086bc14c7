"""TCP ports on 127.0.0.1: found free and kept so until the program that wants one starts, or found taken."""

import socket
from dataclasses import dataclass, field

from scripts.stack.errors import StackError

HOST = "127.0.0.1"


@dataclass(slots=True)
class PortReservation:
    """A port that nobody else is given while the reservation is held."""

    port: int
    _held: socket.socket | None = field(default=None, repr=False)

    def release(self) -> None:
        """Let go of the port, just before the program that wants it starts."""
        if self._held is not None:
            self._held.close()
            self._held = None


def reserve_port(port: int | None = None) -> PortReservation:
    """Reserve this port of 127.0.0.1, or any free one. Raises StackError where it is taken or not permitted."""
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # Connections of a server that just ended linger; they must not make its port look taken.
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        held.bind((HOST, port or 0))
    except OverflowError as error:
        held.close()
        raise StackError(f"{port} is no port: choose one from 1 to 65535.") from error
    except OSError as error:
        held.close()
        raise StackError(
            f"Port {port} on {HOST} cannot be used ({error.strerror}): end the program that has it, or choose another "
            "with PORT=..."
        ) from error
    return PortReservation(port=held.getsockname()[1], _held=held)
