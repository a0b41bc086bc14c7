"""Permits: signed, single-use, short-lived permission to run one job on one input with one artifact.

A permit is a DSSE envelope (payload type below) around canonical JSON. The runtime redeems it with the digests of
what it is about to use, in one conditional UPDATE, so that a permit can be used only once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NotRequired, TypedDict, cast
from uuid import UUID

from django.conf import settings
from django.db import transaction

from governance.audit.recording.record import record
from governance.audit.types import Actor, SubjectRef
from governance.catalog.models import Creator
from governance.decisions.choices import DecisionEffect
from governance.decisions.entries import PermitIssued, PermitRedeemed, PermitRefused
from governance.decisions.errors import PermitInvalid
from governance.decisions.models import DecisionRecord, Permit
from governance.kernel import clock
from governance.kernel.canonical import canonical_json, timestamp
from governance.kernel.ids import new_id
from governance.kernel.json_reading import read_json
from governance.keys.dsse import Envelope, EnvelopeMalformed, sign_envelope, verify_envelope
from governance.keys.ring import KeyPurpose, SignatureInvalid, key_ring
from governance.partners.cut_off import cut_off
from governance.partners.types import TokenUse
from governance.registry.queries import locked_licence_versions
from governance.rulebook.errors import NoActiveRevision, PolicyFrozen
from governance.rulebook.queries import active_program
from governance.rulebook.types import ObligationJson

PAYLOAD_TYPE = "application/vnd.assent.permit+json"
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Binding:
    """What a permit is bound to."""

    job_id: UUID
    fencing_token: int
    input_sha256: str
    artifact_sha256: str
    token_use: TokenUse


class _TokenClaim(TypedDict):
    """The token that the job was submitted with: its partner's id, its own, and when it was issued."""

    partner: str
    token: int | None
    issued_at: str


class _Claims(TypedDict):
    """What a permit says, once its signature was verified; the times are RFC 3339 in UTC."""

    v: int
    permit: str
    decision: str
    job: str
    fencing_token: int
    input_sha256: str
    artifact_sha256: str
    revision: str
    consent_epochs: dict[str, int]
    licence_versions: NotRequired[dict[str, str]]
    token: NotRequired[_TokenClaim]
    obligations: list[ObligationJson]
    issued_at: str
    expires_at: str


def issue(*, decision: DecisionRecord, binding: Binding, actor: Actor) -> Permit:
    """Return a new permit for a decision that permits. Lives ASSENT_PERMIT_SECONDS, and no longer than a lease.

    Raises PermitInvalid (`permit_not_decided`) when the decision is a denial or about another job.
    """
    if decision.effect != DecisionEffect.PERMIT or decision.job_id != binding.job_id:
        raise PermitInvalid("A permit needs a decision that permits this very job.", code="permit_not_decided")
    issued_at = clock.now()
    expires_at = issued_at + timedelta(seconds=min(settings.ASSENT_PERMIT_SECONDS, settings.ASSENT_LEASE_SECONDS))
    permit_id = new_id()
    envelope = sign_envelope(
        key_ring=key_ring.get(),
        purpose=KeyPurpose.PERMIT,
        payload_type=PAYLOAD_TYPE,
        payload=canonical_json(_claims(permit_id, decision, binding, issued_at, expires_at)),
    )
    with transaction.atomic():
        permit = Permit.objects.create(
            id=permit_id,
            decision=decision,
            job_id=binding.job_id,
            fencing_token=binding.fencing_token,
            input_sha256=binding.input_sha256,
            artifact_sha256=binding.artifact_sha256,
            revision_digest=decision.revision_digest,
            consent_epochs=decision.consent_epochs,
            licence_versions=decision.licence_versions,
            obligations=decision.obligations,
            envelope=envelope.to_json(),
            issued_at=issued_at,
            expires_at=expires_at,
        )
        record(PermitIssued.of(permit), subject=SubjectRef("permit", str(permit_id)), actor=actor)
    return permit


def _claims(
    permit_id: UUID, decision: DecisionRecord, binding: Binding, issued_at: datetime, expires_at: datetime
) -> _Claims:
    return {
        "v": FORMAT_VERSION,
        "permit": str(permit_id),
        "decision": str(decision.id),
        "job": str(binding.job_id),
        "fencing_token": binding.fencing_token,
        "input_sha256": binding.input_sha256,
        "artifact_sha256": binding.artifact_sha256,
        "revision": decision.revision_digest,
        "consent_epochs": decision.consent_epochs,
        "licence_versions": decision.licence_versions,
        "token": {
            "partner": str(binding.token_use.partner),
            "token": binding.token_use.token,
            "issued_at": timestamp(binding.token_use.issued_at),
        },
        "obligations": decision.obligations,
        "issued_at": timestamp(issued_at),
        "expires_at": timestamp(expires_at),
    }


def redeem(*, envelope: str, job_id: UUID, input_digest: str, artifact_digest: str) -> Permit:
    """Use a permit up and return it.

    `input_digest` and `artifact_digest` are SHA-256 in hexadecimal of the bytes about to be used. Raises PermitInvalid
    with the code of what is wrong; a refusal of a permit that exists goes to the ledger.
    """
    claims = _verified_claims(envelope)
    refusal: PermitInvalid | None = None
    with transaction.atomic():
        permit = Permit.objects.select_for_update().filter(id=claims["permit"]).first()
        if permit is None or permit.envelope != envelope:
            raise PermitInvalid("This permit was never issued here.", code="permit_unknown")
        actual = {"job": str(job_id), "input_sha256": input_digest, "artifact_sha256": artifact_digest}
        refusal = _refusal(permit, claims, actual)
        if refusal is None:
            permit.redeemed_at = clock.now()
            permit.save(update_fields=["redeemed_at"])
        _record_use(permit, refusal)
    if refusal is not None:
        raise refusal
    return permit


def _verified_claims(envelope: str) -> "_Claims":
    try:
        payload = verify_envelope(
            key_ring=key_ring.get(),
            purpose=KeyPurpose.PERMIT,
            envelope=Envelope.from_json(envelope),
            expected_payload_type=PAYLOAD_TYPE,
        )
    except EnvelopeMalformed as error:
        raise PermitInvalid("This is not a permit.", code="permit_malformed") from error
    except SignatureInvalid as error:
        raise PermitInvalid("The permit's signature is not ours.", code="permit_forged") from error
    return cast("_Claims", read_json(payload))


def _refusal(permit: Permit, claims: "_Claims", actual: Mapping[str, str]) -> PermitInvalid | None:
    """Return why this permit does not permit what is about to be run, or None."""
    bound = claims.get("licence_versions")  # a permit from before version 0.2 has none, and is void
    checks = [
        (actual["job"] != claims["job"], "permit_job_mismatch", "The permit is for another job."),
        (actual["input_sha256"] != claims["input_sha256"], "permit_input_mismatch", "The permit is for another input."),
        (
            actual["artifact_sha256"] != claims["artifact_sha256"],
            "permit_artifact_mismatch",
            "The permit is for another model artifact.",
        ),
        (permit.redeemed_at is not None, "permit_replayed", "The permit was used before."),
        (_newer_permit_exists(permit), "permit_superseded", "A later attempt at the job has a permit of its own."),
        (timestamp(clock.now()) >= claims["expires_at"], "permit_expired", "The permit has expired."),
        (
            _is_cut_off(claims.get("token")),
            "permit_token_cut_off",
            "The job's token was revoked, or its partner suspended, since the permit.",
        ),
        (_active_digest() != claims["revision"], "permit_policy_changed", "The policy changed since the permit."),
        (
            _current_epochs(claims["consent_epochs"]) != claims["consent_epochs"],
            "permit_consent_changed",
            "A creator's consent changed since the permit.",
        ),
        (
            locked_licence_versions(bound or ()) != bound,
            "permit_licence_changed",
            "The model's licence changed since the permit.",
        ),
    ]
    return next((PermitInvalid(message, code=code) for wrong, code, message in checks if wrong), None)


def _is_cut_off(claim: _TokenClaim | None) -> bool:
    """Return whether the token of a job no longer counts; a permit from before version 0.3 names none, and is void."""
    if claim is None:
        return True
    issued_at = datetime.fromisoformat(claim["issued_at"])
    return cut_off(TokenUse(UUID(claim["partner"]), claim["token"], issued_at)) is not None


def _newer_permit_exists(permit: Permit) -> bool:
    return Permit.objects.filter(job_id=permit.job_id, fencing_token__gt=permit.fencing_token).exists()


def still_holds(decision: DecisionRecord) -> bool:
    """Return whether policy, consent and licence are still those of the decision.

    Until the transaction ends, the creators' rows stay locked, and model and licence shared: a change waits for it, or
    is seen by it.
    """
    unchanged = _active_digest() == decision.revision_digest
    return (
        unchanged
        and _current_epochs(decision.consent_epochs) == decision.consent_epochs
        and locked_licence_versions(decision.licence_versions) == decision.licence_versions
    )


def _active_digest() -> str:
    try:
        return active_program().revision
    except (NoActiveRevision, PolicyFrozen):
        return ""


def _current_epochs(epochs: Mapping[str, int]) -> dict[str, int]:
    """Return the present consent epochs of these creators, whose rows stay locked for the rest of the transaction."""
    rows = Creator.objects.select_for_update(of=("self",), no_key=True).filter(slug__in=epochs).order_by("id")
    return {creator.slug: creator.consent_epoch for creator in rows}


def _record_use(permit: Permit, refusal: PermitInvalid | None) -> None:
    used = PermitRedeemed.of(permit)
    entry = used if refusal is None else PermitRefused.of(permit, reason_code=refusal.error_code)
    record(entry, subject=SubjectRef("permit", str(permit.id)), actor=Actor("worker", "runtime"))
