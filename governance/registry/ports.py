"""What the registry needs to know of the worker fleet."""

from collections.abc import Mapping

from governance.kernel.ports import Port

#: The model runtimes that workers have: their names, and what people call them.
runtimes: Port[Mapping[str, str]] = Port("runtimes")


def runtime_choices() -> list[tuple[str, str]]:
    """Return the runtimes as choices of a form or a column."""
    return [*runtimes.get().items()]
