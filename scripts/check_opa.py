"""Check the policies with a real OPA: what they compile to, their Rego tests, and their cases.

`opa check --strict`, `opa fmt` and `opa test` see the compiled modules of the system rules and everything under
`policies/rego`; to the Rego tests, `data.facts[action]` are the facts of `policies/cases/base.yaml`. Then the policy
cases are asked of an OPA server that runs the compiled modules.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import requests

from governance.engines.opa import OpaEngine
from governance.engines.opa_modules import opa_modules
from governance.rulebook.cases import BASE, facts_from
from governance.rulebook.checks import check_policies
from governance.rulebook.content import build_content, program_of
from governance.rulebook.custom_rego import custom_modules
from governance.rulebook.rules import system_rules
from governance.rulebook.schema import current_schema
from governance.rulebook.yaml_files import POLICIES, read_yaml
from scripts.install_opa import opa_program
from scripts.stack.errors import StackError
from scripts.stack.opa import EmbeddedOpa

TESTS = POLICIES / "rego"
ENGINE_SECONDS = 10.0


def compiled() -> dict[str, str]:
    """Return the modules of the system rules by path."""
    content = build_content(schema=current_schema(), system=system_rules(), abac=[], custom=custom_modules())
    return opa_modules(program_of(text=content.text, digest=content.digest))


def facts_by_action() -> dict[str, dict[str, object]]:
    """Return the facts of `policies/cases/base.yaml` as each action gets them."""
    base, schema = read_yaml(POLICIES / "cases" / BASE), current_schema()
    return {action: facts_from(base, action=action, changes={}, schema=schema) for action in schema.actions}


def opa(*arguments: str) -> str:
    """Run an OPA command; return its output if it failed, else nothing."""
    done = subprocess.run([opa_program(), *arguments], capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip() if done.returncode else ""


def check_sources(modules: dict[str, str], folder: Path) -> list[str]:
    """Return the errors that OPA finds in the compiled modules and in `policies/rego`."""
    for path, source in modules.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(source, encoding="utf-8")
    (folder / "facts.json").write_text(json.dumps({"facts": facts_by_action()}), encoding="utf-8")
    places = [str(folder), str(TESTS)]
    return [
        output
        for output in (opa("check", "--strict", *places), opa("fmt", "--diff", "--fail", *places), opa("test", *places))
        if output
    ]


def check_cases(modules: dict[str, str], folder: Path) -> list[str]:
    """Return the policy cases that an OPA server answers in another way than expected."""
    with EmbeddedOpa(folder / "server", log=folder / "opa.log") as server:
        for path, source in modules.items():
            address = f"{server.url}/v1/policies/{path}"
            requests.put(address, data=source.encode(), timeout=ENGINE_SECONDS).raise_for_status()
        report = check_policies(folder=POLICIES, engine=OpaEngine(url=server.url, timeout=ENGINE_SECONDS))
    return list(report.problems)


def main() -> int:
    """Run all of it; the exit code is 0 when OPA finds nothing wrong."""
    with tempfile.TemporaryDirectory(prefix="assent-rego-") as folder:
        modules = compiled()
        try:
            problems = check_sources(modules, Path(folder) / "sources") or check_cases(modules, Path(folder))
        except StackError as error:
            problems = [str(error)]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
