"""Every problem code with its meaning, for `/api/problems/<code>`, which is where a problem's `type` points."""

from collections.abc import Iterator
from dataclasses import dataclass
from inspect import getdoc

from governance.api.problems import OWN_KINDS, STATUS_OF_CATEGORY, STATUS_OF_CODE
from governance.kernel.errors import GovernanceError


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """What a problem code stands for."""

    code: str
    title: str
    status: int
    description: str


def problem_kinds() -> dict[str, ProblemKind]:
    """Return all kinds of problems by code: the interface's own, and one for every error class of every area."""
    own = {
        code: ProblemKind(code=code, title=title, status=status, description=f"{title}.")
        for code, (status, title) in OWN_KINDS.items()
    }
    return {kind.code: _described(kind) for kind in _subclasses(GovernanceError)} | own


def _subclasses(parent: type[GovernanceError]) -> Iterator[type[GovernanceError]]:
    for kind in parent.__subclasses__():
        yield from _subclasses(kind)
        yield kind


def _described(kind: type[GovernanceError]) -> ProblemKind:
    category = next((status for parent, status in STATUS_OF_CATEGORY.items() if issubclass(kind, parent)), 500)
    return ProblemKind(
        code=kind.code,
        title=kind.title,
        status=STATUS_OF_CODE.get(kind.code, category),
        description=(getdoc(kind) or "").partition("\n\n")[0],
    )
