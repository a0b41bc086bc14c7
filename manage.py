#!/usr/bin/env python3
"""Django's command line for Assent."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError


def main() -> None:
    """Run one command. A wrong setting, or a database out of reach, is said without a traceback; the exit code is 2."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.config.settings.dev")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        _refuse(str(error))
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None):  # the database did answer: the fault is elsewhere
            raise
        _refuse(f"The database of DATABASE_URL cannot be reached: {' '.join(str(error).split())}")


def _refuse(why: str) -> None:
    sys.stderr.write(f"{why}\n")
    sys.exit(2)


if __name__ == "__main__":
    main()
