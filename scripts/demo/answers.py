"""The parts of the API's answers that the demo reads (docs/openapi.yaml has them whole)."""

from typing import TypedDict


class Token(TypedDict):
    """An access token, as RFC 6749 section 5.1 has it; `expires_in` is in seconds."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


class Licence(TypedDict):
    """The licence that a model is under."""

    name: str


class Model(TypedDict):
    """A model that the partner may see."""

    slug: str
    licence: Licence


class ModelPage(TypedDict):
    """A page of models."""

    results: list[Model]


class Work(TypedDict):
    """A work that the partner may see."""

    id: str
    title: str


class WorkPage(TypedDict):
    """A page of works."""

    results: list[Work]


class JobEvent(TypedDict):
    """A change of a job's state; `to` is the new state."""

    to: str


class Job(TypedDict):
    """A job with its state, why it ended, and every change of state so far."""

    id: str
    state: str
    attempts: int
    reason: str
    reason_code: str
    decision_id: str
    events: list[JobEvent]


class JobPage(TypedDict):
    """A page of jobs."""

    results: list[Job]


class MatchedRules(TypedDict):
    """The ids of the rules that matched, by effect."""

    permit: list[str]
    deny: list[str]


class Evaluation(TypedDict):
    """One question of a decision."""

    matched_rules: MatchedRules


class Decision(TypedDict):
    """A decision with its questions."""

    id: str
    effect: str
    evaluations: list[Evaluation]


class WormReference(TypedDict):
    """Where an object is in WORM storage, and until when it is kept (RFC 3339)."""

    uri: str
    retain_until: str


class Evidence(TypedDict):
    """The evidence of a released job."""

    envelope_sha256: str
    worm_reference: WormReference


class Fault(TypedDict):
    """One fault that `verify_evidence` found."""

    subject: str
    message: str


class Report(TypedDict):
    """What `verify_evidence` found, and how much it looked at, by kind."""

    ok: bool
    checked: dict[str, int]
    faults: list[Fault]


class VerifierStep(TypedDict):
    """One check of the offline verifier; `outcome` is ok, failed or skipped."""

    name: str
    outcome: str
    detail: str


class Verdict(TypedDict):
    """What the offline verifier found."""

    steps: list[VerifierStep]
    established: list[str]
