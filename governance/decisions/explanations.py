"""Explains decisions by the revision that made them."""

from collections.abc import Mapping
from dataclasses import dataclass

from governance.decisions.models import DecisionRecord
from governance.kernel.errors import GovernanceError
from governance.rulebook.explain import RuleExplanation, explain, sentences_for_partner
from governance.rulebook.queries import load_program
from governance.rulebook.rules_in_force import rules_of_revision


@dataclass(frozen=True, slots=True)
class Explanation:
    """The result of every rule about one question, or in `problem` why they cannot be evaluated.

    `handwritten` is true where hand-written Rego decides as well, which cannot be explained rule by rule.
    """

    rules: tuple[RuleExplanation, ...]
    problem: str = ""
    handwritten: bool = False


def explain_evaluation(*, revision: str, action: str, facts: Mapping[str, object]) -> Explanation:
    """Return the result of every rule of a revision about `action`. Never raises: a problem is part of the answer."""
    if not revision:
        return Explanation((), "No policy revision decided this, so there is no rule to explain it by.")
    try:
        found = explain(rules=rules_of_revision(revision), action=action, facts=facts)
        return Explanation(found, handwritten=_is_handwritten(revision, action))
    except KeyError as absent:
        return Explanation((), f"The rules cannot be held against the facts: {absent.args[0]} is not known.")
    except (GovernanceError, TypeError) as error:
        return Explanation((), f"The revision cannot be read: {error}")


def explain_decision(decision: DecisionRecord) -> list[Explanation]:
    """Return an explanation of each evaluation of a decision, in their order."""
    return [
        explain_evaluation(revision=decision.revision_digest, action=each["action"], facts=each["facts"])
        for each in decision.evaluations
    ]


def explain_decision_to_partner(decision: DecisionRecord) -> list[str]:
    """Return what the partner may read of a decision: its reasons, and what the rules say about each question."""
    sentences = [str(reason["message"]) for reason in decision.reasons]
    for each in decision.evaluations:
        sentences += explain_to_partner(revision=decision.revision_digest, action=each["action"], facts=each["facts"])
    return list(dict.fromkeys(sentences))


def explain_to_partner(*, revision: str, action: str, facts: Mapping[str, object]) -> tuple[str, ...]:
    """Return what the rules of a revision say about a question, as far as the partner that asks may know.

    Nothing where hand-written Rego decides as well, or where the rules do not fit the facts.
    """
    try:
        if _is_handwritten(revision, action):
            return ()
        return sentences_for_partner(rules=rules_of_revision(revision), action=action, facts=facts)
    except (KeyError, TypeError, GovernanceError):
        return ()


def _is_handwritten(revision: str, action: str) -> bool:
    return action not in load_program(revision).index
