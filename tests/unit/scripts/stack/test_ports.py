"""Ports: reserved, refused with a sentence, usable once released."""

import socket
from collections.abc import Iterator

import pytest

from scripts.stack.errors import StackError
from scripts.stack.ports import HOST, reserve_port


@pytest.fixture
def listener() -> Iterator[int]:
    with socket.create_server((HOST, 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_is_refused_with_what_to_do(listener: int) -> None:
    with pytest.raises(StackError, match=rf"Port {listener} on 127\.0\.0\.1 cannot be used .* PORT="):
        reserve_port(listener)


def test_a_number_that_is_no_port_is_refused() -> None:
    with pytest.raises(StackError, match="70000 is no port"):
        reserve_port(70_000)


def test_reserved_ports_differ() -> None:
    reservations = [reserve_port() for _ in range(20)]
    ports = {reservation.port for reservation in reservations}
    for reservation in reservations:
        reservation.release()
    assert len(ports) == 20


def test_a_released_port_can_be_listened_on() -> None:
    reservation = reserve_port()
    reservation.release()
    with socket.create_server((HOST, reservation.port)) as server:
        assert server.getsockname()[1] == reservation.port


def test_releasing_twice_is_harmless() -> None:
    reservation = reserve_port()
    reservation.release()
    reservation.release()
