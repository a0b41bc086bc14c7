"""How `manage.py` says that it cannot run at all."""

import os
import subprocess
import sys

import pytest

from scripts.stack.places import ROOT


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ASSENT_LEASE_SECONDS", "abc", "ASSENT_LEASE_SECONDS must be a whole number, not 'abc'."),
        ("DATABASE_URL", "postgresql://u:p@127.0.0.1:1/x", "The database of DATABASE_URL cannot be reached: "),
    ],
)
def test_it_is_one_line_and_not_the_exit_code_of_a_finding(name, value, said):
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "governance.config.settings.dev", name: value}
    command = [sys.executable, str(ROOT / "manage.py"), "migrate"]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1
