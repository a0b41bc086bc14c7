"""Errors of the console area."""

from governance.kernel.errors import Conflict, InvalidInput


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
