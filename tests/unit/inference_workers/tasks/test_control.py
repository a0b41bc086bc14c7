"""What the tasks of the queue `control` do besides passing on."""

import pytest

from governance.audit.errors import LogHalted, WormUnavailable
from governance.audit.log import checkpoints
from inference_workers.tasks.control import advance_log


@pytest.mark.parametrize("error", [WormUnavailable("The store is down."), LogHalted("The log has stopped.")])
def test_an_error_that_stops_the_log_is_logged_in_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(checkpoints, "advance_log", fail)

    advance_log()

    (told,) = caplog.records
    assert (told.levelname, told.exc_info) == ("ERROR", None)
    assert str(error) in told.getMessage()


def test_a_successful_round_logs_nothing(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(checkpoints, "advance_log", lambda: None)

    advance_log()

    assert not caplog.records
