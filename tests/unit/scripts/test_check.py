"""The outcome lines of `make check`."""

import sys

import pytest

from scripts.check import Check, run


def test_a_check_that_passes_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Check("lint", "all is well", (sys.executable, "-c", "print('chatter')")), {})
    printed = capsys.readouterr().out
    assert printed.startswith("ok     lint        all is well (")
    assert printed.count("\n") == 1


def test_a_failed_check_shows_its_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert not run(Check("lint", "all is well", (sys.executable, "-c", "raise SystemExit('line 3 is bad')")), {})
    printed = capsys.readouterr().out
    assert printed.startswith("FAILED lint")
    assert "       line 3 is bad\n" in printed
