"""Reads the YAML files under `policies/` as strictly as JSON: keys are texts and written once, numbers are finite."""

from collections.abc import Hashable
from math import isfinite
from pathlib import Path

import yaml

from governance.rulebook.errors import PolicyFileInvalid

POLICIES = Path(__file__).resolve().parents[2] / "policies"


class _StrictLoader(yaml.SafeLoader):
    """YAML's safe loader without what JSON cannot say; a later duplicate of a key must not silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:
        """Return the mapping of a node. Raises ConstructorError for a key that is written twice."""
        mapping = super().construct_mapping(node, deep=deep)
        if len(mapping) != len(node.value):
            raise yaml.constructor.ConstructorError(None, None, "a key is written twice", node.start_mark)
        for key in mapping:
            if not isinstance(key, str):
                problem = f"the key {key!r} is not a text; put it in quotes"
                raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        return mapping

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        """Return the number of a node. Raises ConstructorError for .nan and .inf."""
        number = super().construct_yaml_float(node)
        if not isfinite(number):
            raise yaml.constructor.ConstructorError(None, None, "the number is not finite", node.start_mark)
        return number


_StrictLoader.add_constructor("tag:yaml.org,2002:float", _StrictLoader.construct_yaml_float)


def read_yaml(path: Path) -> object:
    """Return the file's content in plain types. Raises PolicyFileInvalid, which names the file and the line."""
    try:
        with path.open(encoding="utf-8") as stream:
            return yaml.load(stream, Loader=_StrictLoader)  # noqa: S506 - a subclass of SafeLoader
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise PolicyFileInvalid(f"{path.name} cannot be read: {error}") from error


def yaml_in(folder: Path) -> list[Path]:
    """Return the YAML files of a folder, by name."""
    return sorted(folder.glob("*.yaml"))
