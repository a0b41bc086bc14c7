"""Loads `policies/schema.yaml`, and answers from it."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from governance.kernel.parsing import parse_list, parse_object, parse_text, parse_texts
from governance.kernel.vocabulary import Action, Purpose
from governance.rulebook.attributes import Attribute, AttributeSchema, AttributeType, expand_actions
from governance.rulebook.errors import PolicyFileInvalid
from governance.rulebook.types import Operator
from governance.rulebook.yaml_files import POLICIES, read_yaml

_PATH = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*", re.ASCII)
_EQUALITY = (Operator.EQ, Operator.NE)
_ORDER = (Operator.LT, Operator.LTE, Operator.GT, Operator.GTE, Operator.BETWEEN)
_MEMBERSHIP = (Operator.IN, Operator.NOT_IN)
OPERATORS: Mapping[AttributeType, tuple[Operator, ...]] = {
    AttributeType.STRING: (*_EQUALITY, *_MEMBERSHIP, Operator.STARTS_WITH),
    AttributeType.ENUM: (*_EQUALITY, *_MEMBERSHIP),
    AttributeType.BOOL: (Operator.EQ,),
    AttributeType.INT: (*_EQUALITY, *_ORDER, *_MEMBERSHIP),
    AttributeType.NUMBER: _ORDER,
    AttributeType.STRING_LIST: (Operator.CONTAINS, Operator.INTERSECTS),
    AttributeType.TIME: _ORDER,
}
"""The operators that fit a type. `exists` fits every type, on a nullable attribute only: elsewhere it says nothing."""

_VOCABULARIES = {"actions": tuple(action.value for action in Action), "purposes": tuple(item.value for item in Purpose)}
_ORM = re.compile(r"(?:asset|consent|model)\.[a-z][a-z0-9_]*|", re.ASCII)
_ENTRY_KEYS = {"type", "label", "help", "values", "nullable", "operators", "when_true", "when_false", "orm"}


def load_schema(path: Path) -> AttributeSchema:
    """Return the schema in a file. Raises PolicyFileInvalid, naming the attribute and what is wrong with it."""
    content = read_yaml(path)
    if not isinstance(content, dict) or set(content) != {"version", "groups"} or content["version"] != 1:
        raise PolicyFileInvalid(f"{path.name} must hold 'version: 1' and 'groups'.")
    attributes: dict[str, Attribute] = {}
    for attribute in _attributes(path.name, content["groups"]):
        if attribute.path in attributes:
            raise PolicyFileInvalid(f"{path.name}: {attribute.path} is defined twice.")
        attributes[attribute.path] = attribute
    schema = AttributeSchema(tuple(attributes.values()))
    unusual = [action for action in schema.actions if _lacks_action(schema, action)]
    if unusual:
        raise PolicyFileInvalid(f"{path.name}: the enum 'action' must be known for {', '.join(unusual)}.")
    return schema


@cache
def current_schema() -> AttributeSchema:
    """Return the product's schema, read once in this process."""
    return load_schema(POLICIES / "schema.yaml")


def attributes_for(action: str) -> tuple[Attribute, ...]:
    """Return what is known whenever `action` is decided."""
    return current_schema().attributes_for(action)


def missing_facts(action: str, facts: Mapping[str, object]) -> list[str]:
    """Return a sentence for every fact of `action` that is absent or not of its type; [] when all is well."""
    return current_schema().missing_facts(action, facts)


def _lacks_action(schema: AttributeSchema, action: str) -> bool:
    return all(attribute.path != "action" for attribute in schema.attributes_for(action))


def _attributes(file: str, groups: object) -> Iterator[Attribute]:
    if not isinstance(groups, list):
        raise PolicyFileInvalid(f"{file}: 'groups' must be a list.")
    for group in groups:
        if not isinstance(group, dict) or set(group) != {"name", "actions", "attributes"}:
            raise PolicyFileInvalid(f"{file}: a group has exactly a name, actions and attributes.")
        try:
            actions = expand_actions(group["actions"])
            for path, entry in parse_object(group["attributes"]).items():
                yield _attribute(path, parse_object(entry), str(group["name"]), actions)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise PolicyFileInvalid(f"{file}: group {group['name']}: {error}") from error


def _attribute(path: str, entry: Mapping[str, object], group: str, actions: frozenset[str]) -> Attribute:
    if not _PATH.fullmatch(path):
        raise ValueError(f"'{path}' is not a dotted path of lower-case words")
    unknown = set(entry) - _ENTRY_KEYS
    if unknown:
        raise ValueError(f"{path} has unknown settings: {', '.join(sorted(unknown))}")
    kind = AttributeType(parse_text(entry["type"]))
    nullable = bool(entry.get("nullable", False))
    attribute = Attribute(
        path=path,
        type=kind,
        group=group,
        label=_sentence_part(path, entry["label"]),
        help=_sentence_part(path, entry["help"]),
        actions=actions,
        operators=_operators(path, kind, nullable, entry.get("operators")),
        values=_values(path, kind, entry.get("values")),
        nullable=nullable,
        when_true=_sentence_part(path, entry.get("when_true", "")),
        when_false=_sentence_part(path, entry.get("when_false", "")),
        orm=_orm(path, entry.get("orm", "")),
    )
    if (kind is AttributeType.BOOL) != bool(attribute.when_true and attribute.when_false):
        raise ValueError(f"{path}: a bool, and nothing else, has when_true and when_false")
    return attribute


def _operators(path: str, kind: AttributeType, nullable: bool, listed: object) -> tuple[Operator, ...]:
    fitting = (*OPERATORS[kind], Operator.EXISTS) if nullable else OPERATORS[kind]
    if listed is None:
        return fitting
    chosen = parse_texts(listed)
    unfit = [name for name in chosen if name not in fitting]
    if unfit:
        raise ValueError(f"{path}: the operators {', '.join(unfit)} do not fit the type {kind}")
    return tuple(operator for operator in fitting if operator in chosen)


def _values(path: str, kind: AttributeType, values: object) -> tuple[str, ...]:
    listed = _VOCABULARIES[values] if isinstance(values, str) else tuple(parse_list(values or []))
    if (kind is AttributeType.ENUM) != bool(listed) or len(set(listed)) != len(listed):
        raise ValueError(f"{path}: an enum, and nothing else, has a list of different values")
    texts = tuple(value for value in listed if isinstance(value, str))
    if texts != listed:
        raise ValueError(f"{path}: the values of an enum are texts (quote yes, no and numbers)")
    return texts


def _orm(path: str, text: object) -> str:
    if not isinstance(text, str) or not _ORM.fullmatch(text):
        raise ValueError(f"{path}: orm is 'asset', 'consent' or 'model', a dot, and a field")
    return text


def _sentence_part(path: str, text: object) -> str:
    if not isinstance(text, str) or not text.isprintable():
        raise ValueError(f"{path}: labels and help are one line of text")
    return text
