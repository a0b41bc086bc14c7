"""One subcommand of `manage.py audit`."""

from collections.abc import Callable
from dataclasses import dataclass

from django.core.management.base import BaseCommand, CommandParser

from governance.operations.options import Options

#: Exit codes: faults were found; the command could not run.
FAULTS = 1
CANNOT_RUN = 2


def no_arguments(parser: CommandParser) -> None:
    """Add nothing: the subcommand takes no arguments."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A subcommand: `run` gets the command, for its streams and styles, and the parsed options.

    Raise CommandError(..., returncode=FAULTS) for what is wrong; a GovernanceError or a DatabaseError ends the command
    with CANNOT_RUN.
    """

    name: str
    help: str
    run: Callable[[BaseCommand, Options], None]
    add_arguments: Callable[[CommandParser], None] = no_arguments
