"""What the broker itself says of its queues."""

import pytest
from celery import current_app

from governance.jobs.dispatch import queue_length, send
from governance.kernel.ids import new_id


@pytest.fixture
def queue(servers):
    name = f"test-{new_id()}"
    yield name
    with current_app.connection_or_acquire() as connection:
        connection.default_channel.queue_delete(name)


def test_a_queue_that_nobody_wrote_to_is_empty(queue):
    assert queue_length(queue) == 0


def test_waiting_messages_are_counted(queue):
    for _ in range(3):
        assert send(task="assent.test.nothing", queue=queue)
    assert queue_length(queue) == 3


def test_a_broker_that_cannot_be_asked_counts_for_nothing(queue, monkeypatch):
    def refuse(*args, **options):
        raise ConnectionRefusedError

    monkeypatch.setattr("celery.current_app.connection_or_acquire", refuse)
    length = queue_length(queue)
    monkeypatch.undo()
    assert length == 0
