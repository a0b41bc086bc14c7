"""Compiled Rego is what OPA's own tools would have written: formatted, strict, and about nothing unknown."""

import subprocess

from hypothesis import HealthCheck, Phase, given, seed, settings

from governance.engines.types import package_of
from scripts.install_opa import opa_program
from tests import effort
from tests.factories.rulebook import every_kind
from tests.parity import examples

EXAMPLES = effort.examples(150)


def opa(*arguments: str) -> str:
    done = subprocess.run([opa_program(), *arguments], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""


def test_random_rules_compile_to_formatted_strict_rego(tmp_path):
    @seed(20261120)
    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(examples(every_kind()))
    def write(example):
        number = len(list(tmp_path.iterdir()))
        source = example.program.modules[example.action]
        # Each in a package of its own, so that one run of each tool sees them all.
        renamed = source.replace(f"package {package_of(example.action)}\n", f"package example_{number}\n", 1)
        (tmp_path / f"{number}.rego").write_text(renamed, encoding="utf-8")

    write()
    assert len(list(tmp_path.iterdir())) >= EXAMPLES // 2
    assert opa("fmt", "--list", "--fail", str(tmp_path)) == ""
    assert opa("check", "--strict", str(tmp_path)) == ""
