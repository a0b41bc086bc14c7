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
