"""`manage.py audit scrub` and `probe`."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from governance.audit.choices import WormKind
from governance.audit.errors import WormUnavailable
from governance.audit.keeping.worm import store_object
from governance.audit.ports import worm_store
from governance.audit.stores.filesystem import FilesystemWormStore
from governance.audit.types import ProbeFinding, SubjectRef

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def store(tmp_path: Path):
    store = FilesystemWormStore(tmp_path / "worm")
    with worm_store.override(store):
        for number in range(2):
            subject = SubjectRef("revision", str(number))
            store_object(kind=WormKind.POLICY, subject=subject, key=f"policy/{number}", data=b"bytes")
        yield store


def audit(*arguments: str) -> str:
    out = StringIO()
    call_command("audit", *arguments, stdout=out)
    return out.getvalue()


def test_scrub_reads_everything():
    assert "Read 2 of 2 objects, 10 bytes." in audit("scrub")


def test_scrub_names_what_is_wrong(tmp_path):
    (tmp_path / "worm" / "objects" / "policy" / "0").unlink()

    with pytest.raises(CommandError, match="1 faults; the scrub is finished") as caught:
        audit("scrub")

    assert caught.value.returncode == 1


def test_scrub_without_a_store_could_not_be_done(store, monkeypatch):
    def down(**given):
        raise WormUnavailable("down")

    monkeypatch.setattr(store, "verify", down)
    monkeypatch.setattr(store, "find", down)

    with pytest.raises(CommandError, match="Cannot scrub") as caught:
        audit("scrub")
    assert caught.value.returncode == 2


def test_probe_says_what_a_directory_cannot_promise():
    assert "no lock to probe" in audit("probe")


def test_probe_lists_every_attempt(store, monkeypatch, capsys):
    findings = (ProbeFinding("deleting a version", refused=True), ProbeFinding("shortening", False, "until now"))
    monkeypatch.setattr(store, "probe", lambda: findings)
    out = StringIO()

    with pytest.raises(CommandError, match="allowed 1 of 2 attempts") as caught:
        call_command("audit", "probe", stdout=out)

    assert caught.value.returncode == 1
    lines = out.getvalue().splitlines()
    assert lines[0].endswith("refused")
    assert lines[1].endswith("ALLOWED: until now")
