"""What the registry needs to know about the worker fleet."""

from collections.abc import Mapping

from governance.kernel.ports import Port

#: The model runtimes that workers have: names and labels.
runtimes: Port[Mapping[str, str]] = Port("runtimes")


def runtime_choices() -> list[tuple[str, str]]:
    """Return the runtimes as choices of a form or a column."""
    return [*runtimes.get().items()]
