import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from governance.audit.log.checkpoints import advance_log, newest_checkpoint
from governance.audit.models import Checkpoint, LogAlarm
from governance.audit.ports import worm_store
from governance.audit.stores.filesystem import FilesystemWormStore
from governance.keys.ring import key_ring
from tests.factories.audit import record_entries
from tests.factories.keys import development_ring
from tests.history import guards_lifted

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_keys_and_store(tmp_path: Path) -> Iterator[None]:
    with key_ring.override(development_ring()), worm_store.override(FilesystemWormStore(tmp_path / "worm")):
        yield


def audit(*arguments: str) -> str:
    out = StringIO()
    call_command("audit", *arguments, stdout=out)
    return out.getvalue()


def refused(*arguments: str) -> tuple[int, str, str]:
    out = StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("audit", *arguments, stdout=out)
    return caught.value.returncode, str(caught.value), out.getvalue()


def disagree() -> None:
    """Let the database say of the newest checkpoint what WORM storage does not."""
    with guards_lifted():
        Checkpoint.objects.update(size=1)


def agree() -> None:
    with guards_lifted():
        Checkpoint.objects.update(size=parsed_size())


def parsed_size() -> int:
    checkpoint = newest_checkpoint()
    assert checkpoint is not None
    return int(checkpoint.note.splitlines()[1])


def test_the_status_of_a_log_that_runs() -> None:
    record_entries(2)

    assert "2  waiting to be ordered" in audit("status")
    told: dict[str, Any] = json.loads(audit("status", "--json"))
    assert (told["origin"], told["waiting"], told["checkpoint_age_seconds"]) == ("assent.local/log", 2, None)
    assert told["alarm"] is None


def test_a_checkpoint_is_published_and_printed() -> None:
    record_entries(2)

    said = audit("checkpoint")

    checkpoint = newest_checkpoint()
    assert checkpoint is not None
    assert checkpoint.note in said
    assert json.loads(audit("checkpoint", "--json"))["lag_entries"] == 0


def test_a_log_that_has_stopped_says_why_until_it_is_resolved() -> None:
    advance_log()
    disagree()

    code, message, said = refused("checkpoint")
    assert (code, message) == (1, "The log has stopped: checkpoint_altered.")
    assert "not the one in WORM storage" in said
    assert "runbooks/log-alarm.md" in said
    code, _, said = refused("status", "--json")
    assert code == 1
    assert json.loads(said)["alarm"]["code"] == "checkpoint_altered"
    code, _, said = refused("resolve", "--reason", "nothing done")
    assert code == 1
    assert "Stopped since" in said
    agree()
    assert "Resolved: checkpoint_altered." in audit("resolve", "--reason", "row put right")
    assert not LogAlarm.objects.filter(resolved_at=None).exists()


def test_without_an_alarm_there_is_nothing_to_resolve() -> None:
    code, message, _ = refused("resolve", "--reason", "just in case")
    assert (code, message) == (1, "There is no alarm to resolve.")


def test_a_log_takes_over_from_another(settings: LazySettings) -> None:
    advance_log()
    size = parsed_size()
    settings.ASSENT_LOG_ORIGIN = "assent.local/second"

    said = audit("succeed", "--from", "assent.local/log", "--reason", "backup")

    assert f"assent.local/second takes over from assent.local/log, which ended with {size} entries." in said
    assert Checkpoint.objects.filter(origin="assent.local/second", number=1).exists()


def test_a_log_takes_over_from_one_that_is_lost(settings: LazySettings) -> None:
    settings.ASSENT_LOG_ORIGIN = "assent.local/second"

    assert "nothing is in WORM storage" in audit("succeed", "--from", "assent.local/log", "--reason", "lost")


def test_a_succession_that_is_not_valid_cannot_be_done() -> None:
    code, message, _ = refused("succeed", "--from", "assent.local/log", "--reason", "x")
    assert code == 2
    assert "needs another name" in message
