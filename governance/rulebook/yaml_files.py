"""Reads the YAML files under `policies/`, and refuses a key that is written twice."""

from collections.abc import Hashable
from pathlib import Path

import yaml

from governance.rulebook.errors import PolicyFileInvalid

POLICIES = Path(__file__).resolve().parents[2] / "policies"


class _StrictLoader(yaml.SafeLoader):
    """YAML's safe loader; a later duplicate of a key must not silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:
        """Return the mapping of a node. Raises ConstructorError for a key that is written twice."""
        mapping = super().construct_mapping(node, deep=deep)
        if len(mapping) != len(node.value):
            raise yaml.constructor.ConstructorError(None, None, "a key is written twice", node.start_mark)
        return mapping


def read_yaml(path: Path) -> object:
    """Return the file's content in plain types. Raises PolicyFileInvalid, which names the file and the line."""
    try:
        with path.open(encoding="utf-8") as stream:
            return yaml.load(stream, Loader=_StrictLoader)  # noqa: S506 - a subclass of SafeLoader
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PolicyFileInvalid(f"{path.name} cannot be read: {error}") from error


def yaml_in(folder: Path) -> list[Path]:
    """Return the YAML files of a folder, by name."""
    return sorted(folder.glob("*.yaml"))
