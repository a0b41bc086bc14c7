import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.audit.errors import EntryInvalid, OutsideTransaction
from governance.audit.evidence.commitments import commit, commitment_of, forget, open_commitment
from governance.audit.models import CommitmentSalt
from governance.audit.types import SubjectRef

pytestmark = pytest.mark.django_db

ADA = SubjectRef("creator", "0190b6a0-0000-7000-8000-000000000001")
BEA = SubjectRef("creator", "0190b6a0-0000-7000-8000-000000000002")


def test_value_and_salt_open_a_commitment() -> None:
    commitment = commit(subject=ADA, name="email", value="ada@example.org")

    salt = open_commitment(subject=ADA, name="email", value="ada@example.org", commitment=commitment)

    assert salt is not None
    assert commitment_of(name="email", salt=bytes.fromhex(salt), value="ada@example.org") == commitment


@pytest.mark.parametrize(
    ("subject", "name", "value"),
    [(ADA, "email", "bea@example.org"), (ADA, "display_name", "ada@example.org"), (BEA, "email", "ada@example.org")],
)
def test_nothing_else_opens_it(subject: SubjectRef, name: str, value: str) -> None:
    commitment = commit(subject=ADA, name="email", value="ada@example.org")

    assert open_commitment(subject=subject, name=name, value=value, commitment=commitment) is None


def test_same_value_is_never_committed_to_in_the_same_words() -> None:
    found = {commit(subject=ADA, name="email", value="ada@example.org") for _ in range(20)}

    assert len(found) == 20
    assert all(open_commitment(subject=ADA, name="email", value="ada@example.org", commitment=one) for one in found)


def test_forgotten_salts_leave_nothing_to_open() -> None:
    commitment = commit(subject=ADA, name="email", value="ada@example.org")
    other = commit(subject=BEA, name="email", value="bea@example.org")

    assert forget(ADA) == 1
    assert forget(ADA) == 0
    assert open_commitment(subject=ADA, name="email", value="ada@example.org", commitment=commitment) is None
    assert open_commitment(subject=BEA, name="email", value="bea@example.org", commitment=other)
    assert str(CommitmentSalt.objects.get()) == f"email of {BEA}"


def test_subject_is_a_plain_name() -> None:
    with pytest.raises(EntryInvalid):
        commit(subject=SubjectRef("creator", "ada@example.org"), name="email", value="ada@example.org")


@pytest.mark.django_db(transaction=True)
def test_salt_and_entry_belong_to_one_transaction() -> None:
    with pytest.raises(OutsideTransaction):
        commit(subject=ADA, name="email", value="ada@example.org")


@given(st.binary(min_size=32, max_size=32), st.text(), st.text())
def test_commitments_differ_with_the_value(salt: bytes, one: str, other: str) -> None:
    equal = commitment_of(name="name", salt=salt, value=one) == commitment_of(name="name", salt=salt, value=other)

    assert equal == (one == other)
