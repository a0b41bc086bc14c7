"""Objects that are not evidence are read back too: policy revisions, and checkpoints with their notes."""

from pathlib import Path

import pytest

from governance.audit.choices import WormKind
from governance.audit.keeping.worm import store_object
from governance.audit.models import Checkpoint, WormReference
from governance.audit.types import Fault, SubjectRef
from governance.audit.verification import verify_all
from tests.history import guards_lifted

pytestmark = pytest.mark.django_db(transaction=True)

NOTE = "assent.test/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"


def stored(kind: WormKind, key: str, data: bytes) -> WormReference:
    return store_object(kind=kind, subject=SubjectRef("log", "1"), key=key, data=data)


@pytest.fixture
def policy() -> WormReference:
    return stored(WormKind.POLICY, "policy/revision.json", b"{}")


@pytest.fixture
def checkpoint() -> WormReference:
    reference = stored(WormKind.CHECKPOINT, "checkpoints/log/1.json", NOTE.encode())
    Checkpoint.objects.create(
        origin="assent.test/log", number=1, size=0, root_hash=bytes(32), note=NOTE, key_id="k", reference=reference
    )
    return reference


def found(**given: SubjectRef) -> list[Fault]:
    return list(verify_all(**given).faults)


def file_of(worm_root: Path, reference: WormReference) -> Path:
    name = reference.uri.rpartition("/")[2]
    return next(path for path in (worm_root / "objects").rglob(name) if path.is_file())


@pytest.mark.parametrize("kind", ["policy", "checkpoint"])
def test_objects_that_hold_are_counted_and_altered_ones_named(
    request: pytest.FixtureRequest, worm_root: Path, kind: str
) -> None:
    reference = request.getfixturevalue(kind)
    assert verify_all().checked["other_worm_objects"] == 1
    assert found() == []

    path = file_of(worm_root, reference)
    path.chmod(0o644)
    path.write_bytes(b"other")

    (fault,) = found()
    assert (fault.check, fault.subject) == ("worm_object_altered", f"WORM object {reference.uri}")
    assert found(subject=SubjectRef("job", "1")) == []


def test_checkpoint_whose_note_is_another_is_named(checkpoint: WormReference) -> None:
    with guards_lifted():
        Checkpoint.objects.update(note=NOTE.replace("0", "1"))

    (fault,) = found()
    assert fault.check == "worm_bytes"
    assert fault.message == "The stored bytes are not those of checkpoint of the log 1."


def test_object_that_no_longer_exists_is_named(policy: WormReference, worm_root: Path) -> None:
    file_of(worm_root, policy).unlink()

    assert [fault.check for fault in found()] == ["worm_object_missing"]


def test_each_field_that_differs_is_named(policy: WormReference) -> None:
    with guards_lifted():
        WormReference.objects.update(size=7, mode="compliance")

    (fault,) = found()
    assert fault.message == "The store has another digest, size or mode: size, mode."
