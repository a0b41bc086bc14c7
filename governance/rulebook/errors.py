"""Errors of the rulebook."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from governance.kernel.errors import Conflict, IntegrityFault, InvalidInput, Unavailable


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

    code = "no_active_revision"
    title = "No policy is active"


class RevisionCorrupt(IntegrityFault):
    """A stored policy revision is not the one that was signed."""

    code = "revision_corrupt"
    title = "The policy revision is not what was signed"
