"""Errors of the rulebook."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from governance.kernel.errors import Conflict, Forbidden, IntegrityFault, InvalidInput, NotFound, Unavailable
from governance.kernel.reason_codes import ReasonCode


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of a rule. `path` is such as `condition.all[1].value`."""

    path: str
    message: str


class RuleInvalid(InvalidInput):
    """A rule says something that makes no sense. `errors` names every field, with a sentence."""

    code = "rule_invalid"
    title = "The rule is not valid"

    def __init__(self, errors: Sequence[FieldError], *, rule_id: str = "") -> None:
        where = f"Rule '{rule_id}': " if rule_id else ""
        sentences = "; ".join(f"{error.path}: {error.message}" for error in errors)
        super().__init__(f"{where}{sentences}", details={"errors": [asdict(error) for error in errors]})
        self.errors = tuple(errors)
        self.rule_id = rule_id


class RuleIdTaken(Conflict):
    """Another rule has this id."""

    code = "rule_id_taken"


class PolicyFileInvalid(InvalidInput):
    """A file under `policies/` cannot be used. The message names the file and the place."""

    code = "policy_file_invalid"


class NoActiveRevision(Unavailable):
    """No policy revision was ever activated, so nothing can be decided."""

    code = ReasonCode.NO_ACTIVE_REVISION.value
    title = "No policy is active"


class RevisionCorrupt(IntegrityFault):
    """A stored policy revision is not the one that was signed."""

    code = ReasonCode.REVISION_CORRUPT.value
    title = "The policy revision is not what was signed"


class PolicyFrozen(Unavailable):
    """The governance team froze the policy: until two people lift the freeze, everything is denied."""

    code = ReasonCode.POLICY_FROZEN.value
    title = "The policy is frozen"


class ReviewRequired(Forbidden):
    """This installation activates policy only through approved drafts."""

    code = "review_required"
    title = "A second person must approve"


class OwnDraft(Forbidden):
    """Nobody approves a draft that they wrote or edited any part of."""

    code = "own_draft"
    title = "Authors do not approve their own work"


class DraftStateConflict(Conflict):
    """A draft is not in the state that this step needs, or is no longer what the person saw."""

    code = "draft_state_conflict"


class DraftStale(Conflict):
    """Another revision became active after the draft was made, so the draft would undo a change unseen."""

    code = "draft_stale"


class ReplayNeeded(Conflict):
    """There is no fresh replay of exactly this draft against recorded decisions."""

    code = "replay_needed"


class NothingToPropose(Conflict):
    """The rules are those of the active revision, or there is an open draft of them."""

    code = "nothing_to_propose"


class RollbackImpossible(Conflict):
    """There is no earlier revision to go back to, or the one named was never active."""

    code = "rollback_impossible"


class RollbackNeedsTwo(Forbidden):
    """One person may go back only to what was in force immediately before. Any other revision needs two."""

    code = "rollback_needs_two"
    title = "A second person must approve this rollback"


class FreezeConflict(Conflict):
    """The policy is frozen already, is not frozen, or a second person is needed."""

    code = "freeze_conflict"


class RevisionNotFound(NotFound):
    """There is no such policy revision."""

    code = "revision_not_found"


class ImportRefused(InvalidInput):
    """An exported revision would not be the same revision here."""

    code = "import_refused"
