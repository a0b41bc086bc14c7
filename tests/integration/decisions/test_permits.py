"""Permits: bound, short-lived and good for one use."""

import json
from base64 import b64decode, b64encode
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from governance.audit.models import OutboxEntry
from governance.audit.types import Actor
from governance.decisions import permits
from governance.decisions.choices import DecisionKind
from governance.decisions.errors import PermitInvalid
from governance.decisions.models import DecisionRecord, Permit
from governance.decisions.permits import Binding, issue, redeem
from governance.decisions.services import decide
from governance.kernel import clock
from governance.kernel.ids import new_id
from governance.kernel.vocabulary import Purpose
from governance.partners.models import AccessToken
from governance.partners.partners import suspend_partner
from governance.partners.tokens import revoke_partner_tokens, revoke_token
from governance.rulebook.freeze import freeze_policy
from governance.rulebook.models import PolicyActivation
from tests.history import guards_lifted

INPUT, ARTIFACT = "a" * 64, "b" * 64
WORKER = Actor("worker", "tests")


def binding(job_id, market, fencing_token=1):
    return Binding(job_id, fencing_token, INPUT, ARTIFACT, market.grant.use)


@pytest.fixture
def permit(market):
    job = market.submit().job
    return issue(decision=job.admission, binding=binding(job.id, market), actor=WORKER)


def redeem_as_issued(permit, **other):
    arguments = {"job_id": permit.job_id, "input_digest": INPUT, "artifact_digest": ARTIFACT} | other
    return redeem(envelope=permit.envelope, **arguments)


def refusal(permit, **other):
    with pytest.raises(PermitInvalid) as caught:
        redeem_as_issued(permit, **other)
    return caught.value.error_code


def altered(envelope, **claims):
    document = json.loads(envelope)
    payload = json.loads(b64decode(document["payload"])) | claims
    document["payload"] = b64encode(json.dumps(payload).encode()).decode()
    return json.dumps(document)


def test_a_permit_is_redeemed_once(permit):
    assert redeem_as_issued(permit).redeemed_at is not None
    assert refusal(permit) == "permit_replayed"


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"input_digest": "c" * 64}, "permit_input_mismatch"),
        ({"artifact_digest": "c" * 64}, "permit_artifact_mismatch"),
        ({"job_id": new_id()}, "permit_job_mismatch"),
    ],
)
def test_a_permit_is_bound_to_what_it_was_issued_for(permit, other, code):
    assert refusal(permit, **other) == code
    assert Permit.objects.get().redeemed_at is None


def test_a_permit_expires(permit, settings):
    with clock.using(clock.ManualClock(permit.issued_at + timedelta(seconds=settings.ASSENT_PERMIT_SECONDS))):
        assert refusal(permit) == "permit_expired"


def test_a_permit_never_outlives_the_lease_it_is_issued_under(market, settings):
    settings.ASSENT_LEASE_SECONDS, settings.ASSENT_PERMIT_SECONDS = 4, 300
    job = market.submit().job
    permit = issue(decision=job.admission, binding=binding(job.id, market), actor=WORKER)
    assert permit.expires_at - permit.issued_at == timedelta(seconds=4)


def test_an_altered_permit_is_forged(permit):
    with pytest.raises(PermitInvalid) as caught:
        redeem(
            envelope=altered(permit.envelope, input_sha256="c" * 64),
            job_id=permit.job_id,
            input_digest="c" * 64,
            artifact_digest=ARTIFACT,
        )
    assert caught.value.error_code == "permit_forged"


@pytest.mark.parametrize("envelope", ["", "{}", "not a permit", '{"payloadType":"x","payload":"","signatures":[]}'])
def test_anything_but_a_permit_is_malformed(permit, envelope):
    with pytest.raises(PermitInvalid) as caught:
        redeem(envelope=envelope, job_id=permit.job_id, input_digest=INPUT, artifact_digest=ARTIFACT)
    assert caught.value.error_code == "permit_malformed"


def test_consent_that_changed_makes_the_permit_void(market, permit):
    market.withdraw()
    assert refusal(permit) == "permit_consent_changed"


def revoke_all(market):
    revoke_partner_tokens(partner=market.partner, actor=WORKER, reason="leaked")


def revoke_one(market):
    revoke_token(token=AccessToken.objects.get(), actor=WORKER, reason="leaked")


def suspend(market):
    suspend_partner(partner=market.partner, actor=WORKER, reason="unpaid")


@pytest.mark.parametrize("cut", [revoke_all, revoke_one, suspend])
def test_a_token_that_was_cut_off_makes_the_permit_void(market, permit, cut):
    cut(market)
    assert refusal(permit) == "permit_token_cut_off"


def test_a_permit_that_names_no_token_is_void(market, permit, monkeypatch):
    claims = permits._verified_claims(permit.envelope)
    del claims["token"]
    monkeypatch.setattr(permits, "_verified_claims", lambda envelope: claims)
    assert refusal(permit) == "permit_token_cut_off"


def test_a_signed_permit_that_was_never_issued_is_unknown(permit):
    with guards_lifted():
        Permit.objects.all().delete()
    assert refusal(permit) == "permit_unknown"


def test_without_an_active_policy_a_permit_is_void(permit):
    with guards_lifted():
        PolicyActivation.objects.all().delete()
    assert refusal(permit) == "permit_policy_changed"


def test_redemption_and_refusal_go_to_the_ledger(permit):
    redeem_as_issued(permit)
    refusal(permit)
    kinds = OutboxEntry.objects.filter(subject_type="permit").order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["permit.issued", "permit.redeemed", "permit.refused"]


def test_a_denial_leads_to_no_permit(market):
    job = market.submit(purpose=Purpose.RESEARCH).job
    with pytest.raises(PermitInvalid) as caught:
        issue(decision=job.admission, binding=binding(job.id, market), actor=WORKER)
    assert caught.value.error_code == "permit_not_decided"


def test_a_decision_about_another_job_leads_to_no_permit(market):
    market.submit()
    with pytest.raises(PermitInvalid):
        issue(decision=DecisionRecord.objects.get(), binding=binding(new_id(), market), actor=WORKER)


def test_a_later_attempt_s_permit_makes_the_earlier_one_void(market, permit, context, asked):
    again = decide(kind=DecisionKind.PERMIT, job_id=permit.job_id, context=context, asked=asked, actor=WORKER)
    later = issue(decision=again, binding=binding(permit.job_id, market, fencing_token=2), actor=WORKER)
    assert refusal(permit) == "permit_superseded"
    assert redeem_as_issued(later).redeemed_at is not None


@pytest.mark.parametrize(("column", "value"), [("consent_epochs", {}), ("revision_digest", "f" * 64)])
def test_what_counts_is_what_was_signed(market, permit, column, value):
    with guards_lifted():
        Permit.objects.update(**{column: value})
    market.withdraw()
    assert refusal(permit) == "permit_consent_changed"


@pytest.mark.parametrize("column", ["consent_epochs", "revision_digest", "obligations"])
def test_what_a_permit_is_bound_to_cannot_be_changed(permit, column):
    with pytest.raises(IntegrityError), transaction.atomic():
        Permit.objects.update(**{column: "x"})


@pytest.mark.parametrize("moment", [None, clock.now()])
def test_a_redemption_cannot_be_undone(permit, moment):
    redeem_as_issued(permit)
    with pytest.raises(IntegrityError), transaction.atomic():
        Permit.objects.update(redeemed_at=moment)


def test_while_the_policy_is_frozen_a_permit_is_void(permit):
    freeze_policy(actor=WORKER, reason="A test.")
    assert refusal(permit) == "permit_policy_changed"
