"""Hands facts to the embedded Rego interpreter without changing them.

`Interpreter.set_input` takes Python values fast but rounds fractions to six digits, cuts strings at a NUL, wraps large
integers and takes strings as if they were already escaped. Here strings go in escaped the way our modules write them
(JSON's shortest escapes), fractions go in as JSON text, and what cannot be represented exactly is refused.
"""

import json
from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any, TypeAlias

from governance.engines.numbers import decided_number
from governance.engines.rego_writer import SAFE_INTEGER, FactsInput, FractionFound, NotRepresentable

FactTree: TypeAlias = "dict[str, FactTree]"


class FactMissing(Exception):
    """A module reads a fact that was not given."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


def fact_tree(paths: Iterable[tuple[str, ...]]) -> "FactTree | None":
    """Return the paths as a tree for `slice_facts`; an empty branch means everything below, None means all facts."""
    tree: FactTree = {}
    # Longer paths first: a shorter one that follows takes in all that lies below it.
    for path in sorted(paths, key=lambda path: (-len(path), path)):
        if not path:
            return None
        branch = tree
        for segment in path[:-1]:
            branch = branch.setdefault(segment, {})
        branch[path[-1]] = {}
    return tree


def slice_facts(facts: Mapping[str, Any], tree: "FactTree | None", prefix: str = "") -> Mapping[str, Any]:
    """Return only the facts in `tree`. Raises FactMissing where one is not given."""
    if tree is None:
        return facts
    part: dict[str, Any] = {}
    for name, branch in tree.items():
        path = f"{prefix}{name}"
        if name not in facts:
            raise FactMissing(path)
        value = facts[name]
        if branch and not isinstance(value, Mapping):
            raise FactMissing(f"{path}.{next(iter(branch))}")
        part[name] = slice_facts(value, branch, f"{path}.") if branch else value
    return part


def set_facts(interpreter: Any, facts: Mapping[str, Any]) -> None:
    """Make `facts` the input of a regopy interpreter; fractions as `decided_number`. Raises NotRepresentable."""
    try:
        interpreter.set_input(FactsInput(facts))
    except FractionFound:
        interpreter.set_input_term(json.dumps(exact_facts(facts), ensure_ascii=False))


def exact_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return `facts` as JSON values that every engine holds exactly; fractions as `decided_number`.

    Raises NotRepresentable.
    """
    exact: dict[str, Any] = _exact(facts)
    return exact


def _exact(value: Any) -> Any:
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


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise NotRepresentable("A fact's name must be text.")
    return _unicode(key)


def _unicode(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise NotRepresentable("A fact holds text that is not Unicode.") from error
    return value
