"""The declared names of tasks, against the tasks that there are."""

from importlib import import_module

import pytest
from celery import current_app

from governance.jobs.tasks import Queue, Task


@pytest.mark.parametrize("queue", Queue)
def test_every_declared_task_is_in_the_module_of_its_queue(queue: Queue) -> None:
    module = import_module(f"inference_workers.tasks.{queue}")

    declared = {task.value for task in Task if task.queue is queue}
    registered = {name for name, task in current_app.tasks.items() if task.__module__ == module.__name__}

    assert registered == declared
