"""The parsed options of a management command."""

from typing import Any, TypeAlias

#: Options by name, as argparse returns them: each command declares their types where it adds its arguments.
Options: TypeAlias = dict[str, Any]
