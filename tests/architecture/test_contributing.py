"""docs/contributing.md is true: its files are there, its recipes are short, and following them works."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from governance.decisions.ports import supported_obligations
from governance.engines import obligations
from governance.engines.obligations import ObligationKind, obligation_problems, refuse_unmatched
from governance.engines.types import Obligation
from governance.kernel.adapters import Adapters, Place
from governance.pictures.encoding import encode_png
from governance.registry import tasks
from governance.registry.ports import runtime_choices
from governance.registry.tasks import Task, task_choices
from governance.workflows.types import Provenance
from inference_workers.moderators import MODERATORS
from inference_workers.obligations import HANDLERS
from inference_workers.obligations.carry_out import apply_obligations
from inference_workers.obligations.types import Draft, Handler, Stage
from inference_workers.runtimes import RUNTIMES

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"^### (.+?)\n(.+?)(?=^### |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL))
#: At most three files each, beside tests and what is generated.
SHORT = [
    "An obligation handler",
    "An attribute",
    "An endpoint",
    "A moderator",
    "A WORM store",
    "A runtime",
    "A task",
    "An entry kind",
]
HANDLER = Handler(Stage.PIXELS, lambda parameters, provenance: lambda draft: (Draft(draft.pixels.convert("L")), {}))
PROVENANCE = Provenance("j", "d", "p", "m", "1.0.0", "ab" * 32, "c")


def steps(recipe: str) -> list[str]:
    """Return the file of each step."""
    return re.findall(r"^\d+\. `([^`]+)`", RECIPES[recipe], flags=re.MULTILINE)


def named_files() -> Iterator[str]:
    for recipe, text in RECIPES.items():
        yield from (step for step in steps(recipe) if "<" not in step)
        yield from re.findall(r"Model:\s+`([^`]+)`", text)


@pytest.mark.parametrize("recipe", SHORT)
def test_everyday_extensions_touch_at_most_three_files(recipe: str) -> None:
    assert 1 <= len(steps(recipe)) <= 3


def test_recipes_are_the_promised_ones() -> None:
    assert list(RECIPES) == [*SHORT, "A reason code", "A console page"]


@pytest.mark.parametrize("path", sorted(set(named_files())))
def test_named_file_is_there(path: str) -> None:
    assert (ROOT / path).is_file()


@pytest.mark.parametrize("recipe", list(RECIPES))
def test_folders_of_new_files_are_there(recipe: str) -> None:
    folders = [ROOT / re.split(r"/[^/]*<", step)[0] for step in steps(recipe)]
    assert all(folder.exists() for folder in folders)


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Follow the recipes for one obligation, one runtime, one moderator and one task."""
    tables: tuple[Adapters, ...] = (HANDLERS, RUNTIMES, MODERATORS)
    for table in tables:
        monkeypatch.setitem(table._places, "tests-own", Place(f"{__name__}:HANDLER", "The tests' own"))
    own = ObligationKind("tests-own", "The tests' own", "Turns grey.", "is grey")
    monkeypatch.setattr(obligations, "OBLIGATIONS", {**obligations.OBLIGATIONS, "tests-own": own})
    monkeypatch.setattr(tasks, "TASKS", {**tasks.TASKS, "caption": Task(name="caption", title="Caption")})
    supported_obligations.reset()
    yield
    supported_obligations.reset()


@pytest.mark.usefixtures("added")
def test_added_obligation_is_known_to_policy_and_carried_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HANDLERS, "get", {"tests-own": HANDLER}.__getitem__)
    done = apply_obligations(encode_png(Image.new("RGB", (4, 3))), [Obligation("tests-own", {})], PROVENANCE)

    assert "tests-own" in supported_obligations.get()
    refuse_unmatched(HANDLERS.names)
    assert obligation_problems(Obligation("tests-own", {})) == []
    assert [each["kind"] for each in done.applied] == ["tests-own"]


@pytest.mark.usefixtures("added")
def test_added_runtime_may_be_named_by_model_versions() -> None:
    assert ("tests-own", "The tests' own") in RUNTIMES.titles.items()
    assert {name for name, _ in runtime_choices()} <= set(RUNTIMES.names)


@pytest.mark.usefixtures("added")
def test_added_task_may_be_asked_for() -> None:
    assert ("caption", "Caption") in task_choices()
