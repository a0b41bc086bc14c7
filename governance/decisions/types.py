"""Values that the decision point works with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypedDict

from governance.engines.types import EngineResult
from governance.kernel.canonical import Json
from governance.kernel.vocabulary import Action
from governance.partners.models import Partner
from governance.partners.types import Coverage
from governance.rulebook.types import ObligationJson

Facts = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class AccessContext:
    """Who asks, with what token, for what purpose, and when."""

    partner: Partner
    client_id: str
    token: Coverage
    purpose: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Question:
    """One question for the policy engine: may `action` happen to this resource, given these facts?"""

    action: Action
    resource_type: str
    resource_id: str
    facts: Facts


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """The questions of one decision, with the consent epochs and licence versions of their facts.

    `obligations` are those of the licence; `licences` names its version for each model, such as "open/3".
    """

    questions: tuple[Question, ...]
    consent_epochs: Mapping[str, int]
    obligations: tuple[Mapping[str, Json], ...] = ()
    licences: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReleaseFacts:
    """The facts about an output when its release is decided. Scores run from 0 to 1."""

    job_id: str
    input_score: float
    output_score: float
    input_labels: tuple[str, ...]
    output_labels: tuple[str, ...]
    cancel_requested: bool
    width: int
    height: int


class ResourceJson(TypedDict):
    """The type and the id of what an action would happen to."""

    type: str
    id: str


class MatchedRulesJson(TypedDict):
    """The ids of the rules that matched, sorted, by effect."""

    permit: list[str]
    deny: list[str]


class ReasonJson(TypedDict):
    """A reason for a denial; `rule` is the id of the rule that gave it, or null where no rule did."""

    code: str
    message: str
    rule: str | None


class EvaluationJson(TypedDict):
    """One question with its answer, as a decision record holds it; `facts` are nested by dotted path."""

    action: str
    resource: ResourceJson
    effect: str
    matched_rules: MatchedRulesJson
    reasons: list[ReasonJson]
    obligations: list[ObligationJson]
    facts: dict[str, Json]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A question with its answer."""

    question: Question
    result: EngineResult
