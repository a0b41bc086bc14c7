"""The reasons that Assent itself gives for a denial or for the end of a job. Those of rules are data, in the rules.

Codes are a public contract: partners' programs read them. A code is never renamed, and never given another meaning.
"""

from enum import StrEnum
from typing import Self


class ReasonCode(StrEnum):
    """A built-in reason; `sentence` says it to people where nothing more exact is known."""

    sentence: str

    def __new__(cls, code: str, sentence: str) -> Self:
        """Make the member with the value `code`."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.sentence = sentence
        return member

    # Policy gave no sound answer, so the answer is no.
    NO_ACTIVE_REVISION = "no_active_revision", "No policy is active."
    POLICY_FROZEN = "policy_frozen", "The policy is frozen."
    REVISION_CORRUPT = "revision_corrupt", "The policy revision is not the one that was signed."
    ENGINE_UNAVAILABLE = "engine_unavailable", "The policy engine gave no answer."
    ENGINE_DISAGREEMENT = "engine_disagreement", "Two policy engines disagree."
    POLICY_BUDGET_EXCEEDED = (
        "policy_budget_exceeded",
        "A hand-written rule needed more time or memory than it may take.",
    )
    FACTS_INCOMPLETE = "facts_incomplete", "An attribute that the policy needs is missing or of the wrong type."

    # Policy answered, but no rule gave the reason.
    ACTION_UNKNOWN = "action_unknown", "The active policy does not know the action."
    NO_RULE_PERMITS = "no_rule_permits", "No rule permits this."
    OBLIGATION_UNSUPPORTED = "obligation_unsupported", "The permit has an obligation that nothing here can carry out."

    # A job ended, or went back to the queue, for another reason than policy.
    TOKEN_REVOKED = "token_revoked", "The access token that the job was submitted with was revoked."
    PARTNER_SUSPENDED = "partner_suspended", "The partner is suspended."
    CANCELLED_ON_REQUEST = "cancelled_on_request", "The job was cancelled on request."
    LEASE_EXPIRED = "lease_expired", "The worker stopped answering."
    DEADLINE_EXCEEDED = "deadline_exceeded", "The job was not finished by its deadline."
    ATTEMPTS_EXHAUSTED = "attempts_exhausted", "No attempt is left."
    WORKER_ERROR = "worker_error", "The worker failed unexpectedly."
