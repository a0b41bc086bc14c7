"""Liveness and readiness."""

from unittest.mock import Mock

import pytest

from governance.api import health
from governance.audit.errors import LogDiverged
from governance.audit.log.log_alarms import raise_alarm
from governance.audit.ports import worm_store
from governance.audit.stores.filesystem import FilesystemWormStore
from governance.keys.ring import key_ring
from governance.rulebook.activation import publish_without_review
from tests.factories.marketplace import TESTER

PARTS = {"database", "broker", "policy", "engine", "keys", "worm", "log"}


@pytest.fixture
def ready(db):
    publish_without_review(actor=TESTER, note="tests")


def test_the_process_is_up_without_any_other_part(anonymous, monkeypatch):
    monkeypatch.setattr(health, "CHECKS", {"anything": Mock(side_effect=AssertionError)})
    answer = anonymous.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_ready_when_every_part_answers(anonymous, ready):
    answer = anonymous.get("/readyz")
    assert answer.json() == {"status": "ok", "parts": dict.fromkeys(PARTS, "ok")}
    assert answer.status_code == 200


@pytest.mark.parametrize("part", sorted(PARTS))
def test_a_part_that_fails_is_named_without_saying_how(anonymous, ready, monkeypatch, part):
    failing = Mock(side_effect=RuntimeError("password=hunter2"))
    monkeypatch.setattr(health, "CHECKS", health.CHECKS | {part: failing})
    answer = anonymous.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "failed", "parts": dict.fromkeys(PARTS, "ok") | {part: "failed"}}


def test_without_an_active_revision_nothing_can_be_decided(anonymous, db):
    assert anonymous.get("/readyz").json()["parts"]["policy"] == "failed"


def test_without_a_key_nothing_can_be_signed(anonymous, ready):
    with key_ring.override(Mock(public_keys=Mock(return_value=[]))):
        assert anonymous.get("/readyz").json()["parts"]["keys"] == "failed"


def test_the_directory_for_evidence_need_not_be_there_yet(anonymous, ready, tmp_path):
    with worm_store.override(FilesystemWormStore(tmp_path / "data" / "worm")):
        assert anonymous.get("/readyz").json()["parts"]["worm"] == "ok"


def test_without_a_place_for_evidence_nothing_can_be_proven(anonymous, ready, tmp_path):
    place = tmp_path / "a-file"
    place.touch()
    with worm_store.override(FilesystemWormStore(place / "worm")):
        assert anonymous.get("/readyz").json()["parts"]["worm"] == "failed"


def test_a_log_that_has_stopped_is_not_ready(anonymous, db):
    raise_alarm(LogDiverged("The log was changed.", code="log_forked"))

    assert anonymous.get("/readyz").json()["parts"]["log"] == "failed"
