"""The active policy, and what happens when what is stored is not what was signed."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from governance.audit.types import Actor
from governance.kernel import clock
from governance.keys.dsse import sign_envelope
from governance.keys.ring import KeyPurpose, KeyRing
from governance.rulebook.activation import publish_without_review
from governance.rulebook.errors import NoActiveRevision, RevisionCorrupt, RuleInvalid
from governance.rulebook.models import PolicyRevision
from governance.rulebook.queries import active_program, active_revision, load_program, spec_of, verified_program
from governance.rulebook.signing import PAYLOAD_TYPE, signed_payload
from tests.factories.rulebook import BLOCK_REGION, AbacRuleFactory

pytestmark = pytest.mark.django_db
SEED = Actor("system", "seed")


def test_without_a_revision_there_is_no_program() -> None:
    assert active_revision() is None
    with pytest.raises(NoActiveRevision) as missing:
        active_program()

    assert missing.value.error_code == "no_active_revision"


def test_an_unknown_digest_has_no_program() -> None:
    with pytest.raises(NoActiveRevision, match="There is no policy revision"):
        load_program("0" * 64)


def test_the_active_program_costs_one_query_once_it_is_loaded() -> None:
    revision = publish_without_review(actor=SEED)
    program = active_program()

    with CaptureQueriesContext(
        connection,
    ) as queries:
        again = active_program()

    assert again is program
    assert program.revision == revision.digest
    assert len(queries) == 1


def test_a_rotated_key_still_verifies_what_it_signed(ring: KeyRing) -> None:
    publish_without_review(actor=SEED)
    ring.rotate(purpose=KeyPurpose.REVISION)
    load_program.cache_clear()

    assert active_program().modules


def _other_content(revision: PolicyRevision, ring: KeyRing) -> None:
    revision.content = revision.content.replace("permit", "Permit", 1)


def _no_envelope(revision: PolicyRevision, ring: KeyRing) -> None:
    revision.signature = "{}"


def _other_purpose(revision: PolicyRevision, ring: KeyRing) -> None:
    revision.signature = sign_envelope(
        key_ring=ring,
        purpose=KeyPurpose.PERMIT,
        payload_type=PAYLOAD_TYPE,
        payload=signed_payload(revision.digest),
    ).to_json()


def _other_revision(revision: PolicyRevision, ring: KeyRing) -> None:
    revision.signature = sign_envelope(
        key_ring=ring, purpose=KeyPurpose.REVISION, payload_type=PAYLOAD_TYPE, payload=signed_payload("0" * 64)
    ).to_json()


def _other_type(revision: PolicyRevision, ring: KeyRing) -> None:
    revision.signature = sign_envelope(
        key_ring=ring, purpose=KeyPurpose.REVISION, payload_type="text/plain", payload=signed_payload(revision.digest)
    ).to_json()


@pytest.mark.parametrize("alter", [_other_content, _no_envelope, _other_purpose, _other_revision, _other_type])
def test_an_altered_revision_is_corrupt(ring: KeyRing, alter: Callable[[PolicyRevision, KeyRing], None]) -> None:
    revision = publish_without_review(actor=SEED)
    assert verified_program(revision).revision == revision.digest

    alter(revision, ring)

    with pytest.raises(RevisionCorrupt) as corrupt:
        verified_program(revision)
    assert corrupt.value.error_code == "revision_corrupt"


def test_a_revision_altered_in_the_database_decides_nothing() -> None:
    revision = publish_without_review(actor=SEED)
    load_program.cache_clear()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE rulebook_policyrevision DISABLE TRIGGER USER")
        cursor.execute("UPDATE rulebook_policyrevision SET content = replace(content, 'withdrawn', 'active')")
        cursor.execute("ALTER TABLE rulebook_policyrevision ENABLE TRIGGER USER")

    with pytest.raises(RevisionCorrupt, match=revision.digest):
        active_program()


def test_a_row_becomes_a_rule() -> None:
    assert spec_of(AbacRuleFactory(slug="block-region", created_at=clock.now())) == BLOCK_REGION

    with pytest.raises(RuleInvalid):
        spec_of(AbacRuleFactory.build(actions=[]))


def test_rows_read_as_what_they_are() -> None:
    revision = publish_without_review(actor=SEED)

    assert str(AbacRuleFactory(slug="block-region")) == "block-region"
    assert str(revision) == "Revision 1"
    assert str(revision.activations.get()).startswith("Revision 1 from 20")
