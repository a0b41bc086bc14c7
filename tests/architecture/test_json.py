"""JSON and YAML are decoded in one place each, strictly: no other reader may understand the same bytes differently."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: Modules that decode by themselves, and why.
ALLOWED = {
    "governance/kernel/json_reading.py": "the strict reader itself",
    "governance/engines/rego_child.py": "what its own parent wrote",
    "governance/engines/rego_sandbox.py": "what its own child wrote, of a bounded size",
    "governance/engines/rego_source.py": "compares one literal with how JSON would write it",
    "governance/rulebook/yaml_files.py": "the strict loader itself",
    "governance/console/forms/fields.py": "the strict form field itself",
    "governance/console/signin/forms.py": "a strict form field for the answers of keys",
}
DECODERS = {
    "json": {"load", "loads", "JSONDecoder", "decoder", "scanner"},
    "forms": {"JSONField"},
    "yaml": {"load", "load_all", "safe_load", "safe_load_all", "full_load", "unsafe_load"},
}


def decodes(source: str) -> list[int]:
    """Return the lines of a module that decode JSON or YAML without the strict readers."""
    nodes = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt | ast.expr))
    return [node.lineno for node in nodes if _decodes(node)]


def _decodes(node: ast.stmt | ast.expr) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id=module), attr=attr):
            return attr in DECODERS.get(module, ())
        case ast.ImportFrom(module=str(module), names=names):
            return any(each.name in DECODERS.get(module.split(".")[0], ()) for each in names)
        case ast.Call(func=ast.Attribute(attr="json"), args=[]):
            return True
    return False


def modules() -> Iterator[Path]:
    for top in ("governance", "inference_workers"):
        yield from (path for path in sorted((ROOT / top).rglob("*.py")) if "migrations" not in path.parts)


def test_no_module_decodes_by_itself() -> None:
    found = {str(path.relative_to(ROOT)): decodes(path.read_text()) for path in modules()}

    assert {name: lines for name, lines in found.items() if lines and name not in ALLOWED} == {}


def test_what_is_allowed_is_still_needed() -> None:
    assert [name for name in ALLOWED if not decodes((ROOT / name).read_text())] == []


@pytest.mark.parametrize(
    "source",
    [
        "import json\njson.loads('1')",
        "import json\nread = json.load",
        "from json import loads",
        "from json.decoder import JSONDecoder",
        "import json\njson.JSONDecoder().decode('1')",
        "import yaml\nyaml.safe_load('1')",
        "requests.get('/').json()",
        "from django import forms\nforms.JSONField()",
    ],
)
def test_a_decoder_is_found(source: str) -> None:
    assert decodes(source) != []


@pytest.mark.parametrize("source", ["import json\njson.dumps(1)", "from json import dumps", "models.JSONField()"])
def test_what_decodes_nothing_is_left_alone(source: str) -> None:
    assert decodes(source) == []
