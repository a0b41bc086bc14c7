"""The whole stack's log with its witness, each a process of its own, checked by Go over HTTP."""

import json
import time
from collections.abc import Iterator

import pytest
import requests

from scripts.stack.stack import Stack
from scripts.stack.witness import NAME
from tests.interop.go_checker import GoChecker, build
from tests.waiting import PATIENCE_SECONDS, wait_until

ORIGIN = "assent.local/log"
LONG_ENOUGH = 4  # rounds of publishing are a second apart


@pytest.fixture(scope="module")
def go() -> GoChecker:
    return build()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("stack")) as started:
        yield started


@pytest.fixture(scope="module")
def vkeys(stack: Stack) -> list[str]:
    [witness] = json.loads(stack.env["ASSENT_WITNESSES"])
    return [*stack.manage("log_vkey").split(), witness["vkey"]]


def published_size(stack: Stack) -> int:
    answer = requests.get(f"{stack.web_url}/log/checkpoint", timeout=PATIENCE_SECONDS)
    return int(answer.text.splitlines()[1]) if answer.ok else 0


def wait_until_published(stack: Stack, *, beyond: int) -> int:
    wait_until(lambda: published_size(stack) > beyond, pause=0.1)
    return published_size(stack)


def test_go_accepts_what_the_stack_serves(stack: Stack, go: GoChecker, vkeys: list[str]) -> None:
    size = wait_until_published(stack, beyond=0)
    found = go.check_log(f"{stack.web_url}/log", *vkeys)
    assert found["signers"] == [ORIGIN, NAME]
    assert found["entries"] >= size


def test_without_the_witness_nothing_is_published_and_with_it_all_of_it(
    stack: Stack, go: GoChecker, vkeys: list[str]
) -> None:
    before = wait_until_published(stack, beyond=0)
    stack.kill("witness")
    stack.manage("keys", "rotate", "receipt")
    time.sleep(LONG_ENOUGH)
    assert published_size(stack) == before

    stack.start_process("witness")
    wait_until_published(stack, beyond=before)
    assert go.check_log(f"{stack.web_url}/log", *vkeys)["signers"] == [ORIGIN, NAME]


def test_a_new_key_of_the_log_does_not_stop_witness_or_monitor(stack: Stack, go: GoChecker, vkeys: list[str]) -> None:
    before = wait_until_published(stack, beyond=0)
    stack.manage("keys", "rotate", "checkpoint")
    wait_until_published(stack, beyond=before)
    assert go.check_log(f"{stack.web_url}/log", *vkeys)["signers"] == [ORIGIN, NAME]
    old, new = stack.manage("log_vkey").split()
    assert old == vkeys[0]
    assert go.check_log(f"{stack.web_url}/log", new)["signers"] == [ORIGIN]
