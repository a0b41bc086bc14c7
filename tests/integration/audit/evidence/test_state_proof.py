"""A state of the past as a file: what it says is what the log says, and its proof is checked without us."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from governance.audit.evidence.state_proof import state_document
from governance.audit.log.checkpoints import advance_log
from governance.audit.log.sequencer import sequence_pending
from governance.audit.log.trust import trust_file
from governance.audit.recording.asof import find_as_of
from governance.kernel import clock, strict_base64
from governance.partners.tiers import change_tier, delete_tier
from governance.transparency.proofs import ProofInvalid
from scripts.stack.places import ROOT
from tests.factories.partners import ACTOR, TierFactory
from tests.state_proofs import proven_state

DOCUMENTATION = ROOT / "docs" / "operations" / "asof.md"
pytestmark = pytest.mark.django_db


def document() -> dict:
    return state_document(find_as_of(type_name="tier", name="trial", at=clock.now()))


def test_a_state_is_first_a_promise_and_then_a_proof() -> None:
    TierFactory.create(slug="trial", name="Trial")
    waiting = document()
    sequence_pending()
    placed = document()
    advance_log()
    proven = document()

    assert (waiting["index"], waiting["proof"], placed["proof"]) == (None, None, None)
    assert placed["index"] is not None
    assert waiting["state"] == proven["state"] == proven_state(proven)
    assert json.loads(json.dumps(proven)) == proven


def test_the_proof_is_of_the_entry_that_counted() -> None:
    tier = TierFactory.create(slug="trial", name="First")
    change_tier(tier=tier, name="Second", requests_per_minute=1, max_open_jobs=1, actor=ACTOR)
    before = clock.now()
    delete_tier(tier=tier, actor=ACTOR)
    advance_log()

    now, then = document(), state_document(find_as_of(type_name="tier", name="trial", at=before))

    assert (now["presence"], now["state"], proven_state(now)) == ("deleted", None, None)
    assert proven_state(then) == then["state"]
    assert then["state"]["name"] == "Second"


def test_other_bytes_are_not_proven() -> None:
    TierFactory.create(slug="trial", name="Trial")
    advance_log()
    proven = document()
    forged = strict_base64.decode(proven["entry"]).replace(b'"Trial"', b'"Trust"')

    with pytest.raises(ProofInvalid, match="leads to another root"):
        proven_state(proven | {"entry": strict_base64.encode(forged)})


@pytest.fixture
def checked(tmp_path: Path) -> Callable[[dict], subprocess.CompletedProcess[str]]:
    """Return what checks a document as the page of the documentation says, without Django's settings."""
    (program,) = re.findall(r"```python\n(.*?)```", DOCUMENTATION.read_text(), re.DOTALL)

    def check(document: dict) -> subprocess.CompletedProcess[str]:
        (tmp_path / "state.json").write_text(json.dumps(document))
        (tmp_path / "trust.json").write_bytes(trust_file())
        files = [str(tmp_path / name) for name in ("state.json", "trust.json")]
        command = [sys.executable, "-c", program, *files]
        return subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, check=False)

    return check


def test_the_documentation_says_how_to_check_it(checked: Callable[[dict], subprocess.CompletedProcess[str]]) -> None:
    TierFactory.create(slug="trial", name="Trial")
    advance_log()
    proven = document()

    assert (checked(proven).returncode, checked(proven).stderr) == (0, "")
    assert "AssertionError" in checked(proven | {"state": proven["state"] | {"name": "Trust"}}).stderr
    assert "ProofInvalid" in checked(proven | {"entry": strict_base64.encode(b"{}")}).stderr


def test_before_its_creation_there_is_nothing_to_prove() -> None:
    before = clock.now()
    TierFactory.create(slug="trial")

    found = state_document(find_as_of(type_name="tier", name="trial", at=before))

    assert (found["presence"], found["state"], found["entry"], found["proof"]) == ("not_yet", None, None, None)
