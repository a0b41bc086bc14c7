"""Passes facts to the embedded Rego interpreter without changing them.

`Interpreter.set_input` takes Python values fast but rounds fractions to six digits, cuts strings at a NUL, wraps large
integers and takes strings as if they were already escaped. Here strings go in escaped the way our modules write them
(JSON's shortest escapes), fractions go in as JSON text, and what cannot be represented exactly is refused.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Protocol, TypeAlias

from governance.engines.numbers import decided_number
from governance.engines.rego_writer import SAFE_INTEGER, FactsInput, FractionFound, NotRepresentable

FactTree: TypeAlias = "dict[str, FactTree]"


class RegoResult(Protocol):
    """One result of a query: the values of its expressions."""

    expressions: Sequence[object]


class RegoOutput(Protocol):
    """What a query gave: a sequence of results, unless it failed."""

    def ok(self) -> bool:
        """Return whether the query ran without an error."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> RegoResult: ...


class RegoInterpreter(Protocol):
    """What is used of regopy's interpreter, which comes without types, once its modules are built."""

    def set_input(self, facts: FactsInput) -> None:
        """Make `facts` the input of the queries that follow."""
        ...

    def set_input_term(self, text: str) -> None:
        """Make a JSON text the input of the queries that follow."""
        ...

    def query_bundle_entrypoint(self, bundle: object, entrypoint: str) -> RegoOutput:
        """Return what the entrypoint of a built bundle gives for the input."""
        ...


class FactMissing(Exception):
    """A rule reads an attribute whose fact was not given; `path` names it."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


def fact_tree(paths: Iterable[tuple[str, ...]]) -> "FactTree | None":
    """Return the paths as a tree for `slice_facts`; an empty branch means everything below, None means all facts."""
    tree: FactTree = {}
    # Longer paths first: a shorter one that follows replaces everything below it.
    for path in sorted(paths, key=lambda path: (-len(path), path)):
        if not path:
            return None
        branch = tree
        for segment in path[:-1]:
            branch = branch.setdefault(segment, {})
        branch[path[-1]] = {}
    return tree


def slice_facts(facts: Mapping[str, object], tree: "FactTree | None", prefix: str = "") -> Mapping[str, object]:
    """Return only the facts in `tree`. Raises FactMissing where one is not given."""
    if tree is None:
        return facts
    part: dict[str, object] = {}
    for name, branch in tree.items():
        path = f"{prefix}{name}"
        if name not in facts:
            raise FactMissing(path)
        value = facts[name]
        if not branch:
            part[name] = value
        elif isinstance(value, Mapping):
            part[name] = slice_facts(value, branch, f"{path}.")
        else:
            raise FactMissing(f"{path}.{next(iter(branch))}")
    return part


def set_facts(interpreter: RegoInterpreter, facts: Mapping[str, object]) -> None:
    """Make `facts` the input of a regopy interpreter; fractions as `decided_number`. Raises NotRepresentable."""
    try:
        interpreter.set_input(FactsInput(facts))
    except FractionFound:
        interpreter.set_input_term(json.dumps(exact_facts(facts), ensure_ascii=False))


def exact_facts(facts: Mapping[str, object]) -> dict[str, object]:
    """Return `facts` as JSON values that every engine holds exactly; fractions as `decided_number`.

    Raises NotRepresentable.
    """
    return {_key(name): _exact(value) for name, value in facts.items()}


def _exact(value: object) -> object:
    match value:
        case str():
            return _unicode(value)
        case None | bool():
            return value
        case float() if isfinite(value) and not decided_number(value).is_integer():
            return decided_number(value)
        case int() | float() if abs(value) <= SAFE_INTEGER:
            return round(value)
        case Mapping():
            return {_key(key): _exact(item) for key, item in value.items()}
        case list() | tuple():
            return [_exact(item) for item in value]
    raise NotRepresentable(f"A fact of type {type(value).__name__} has no JSON form that every engine holds exactly.")


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise NotRepresentable("A fact's name must be text.")
    return _unicode(key)


def _unicode(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise NotRepresentable("A fact holds text that is not Unicode.") from error
    return value
