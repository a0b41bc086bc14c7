"""Errors of the console area."""

from governance.kernel.errors import Conflict, Forbidden, InvalidInput


class AccountInvalid(InvalidInput):
    """A console user or a group cannot be as it was given."""

    code = "account_invalid"
    title = "The account is not valid"


class AccountConflict(Conflict):
    """A console user or a group cannot be changed like this as things are now."""

    code = "account_conflict"
    title = "The account cannot be changed like this"


class QueryUnanswerable(InvalidInput):
    """The query of a list names a filter, a value or a page that does not exist."""

    code = "query_unanswerable"
    title = "The list cannot be narrowed like this"


class AccessRefused(Forbidden):
    """Nobody gives themselves more access, and nobody gives what they do not hold."""

    code = "access_refused"
    title = "You cannot give this access"


class SecondPersonNeeded(Forbidden):
    """More access that can widen what is allowed is proposed by one person and approved by another."""

    code = "second_person_needed"
    title = "A second person must approve this"


class AccessProposalClosed(Conflict):
    """It was approved, rejected or withdrawn already."""

    code = "access_proposal_closed"
    title = "The proposal was decided already"
