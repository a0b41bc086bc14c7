"""What the command line of a management command was read into."""

from typing import Any, TypeAlias

#: Options by name, as argparse returns them: each command declares their types where it adds its arguments.
Options: TypeAlias = dict[str, Any]
