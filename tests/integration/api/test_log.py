"""The public log: checkpoint, tiles, entries and proofs."""

import gzip
import struct
from base64 import b64decode

import pytest

from governance.audit.log.checkpoints import advance_log, newest_checkpoint, signed_note_of
from governance.audit.log.log_reader import log_size, root_at
from governance.audit.log.sequencer import sequence_all
from governance.audit.models import LedgerEntry
from governance.audit.ports import worm_store
from governance.audit.stores.filesystem import FilesystemWormStore
from governance.keys.ring import key_ring
from governance.transparency.merkle import leaf_hash
from governance.transparency.proofs import verify_consistency, verify_inclusion
from tests.factories.audit import filled_log, record_entries
from tests.factories.checkpoints import TestWitness
from tests.factories.keys import development_ring


@pytest.fixture(autouse=True)
def own_keys_and_store(tmp_path):
    with key_ring.override(development_ring()), worm_store.override(FilesystemWormStore(tmp_path / "worm")):
        yield


@pytest.fixture
def log_of_600(db):
    filled_log(600)
    advance_log()
    return [bytes(body) for body in LedgerEntry.objects.order_by("index").values_list("body", flat=True)]


def split(bundle):
    entries = []
    while bundle:
        (size,) = struct.unpack(">H", bundle[:2])
        entries.append(bundle[2 : 2 + size])
        bundle = bundle[2 + size :]
    return entries


def test_the_checkpoint_is_the_signed_note_and_not_cached(anonymous, log_of_600):
    answer = anonymous.get("/log/checkpoint")

    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["Cache-Control"] == "no-cache"
    assert answer.content.decode() == signed_note_of(newest_checkpoint())


def test_before_the_first_checkpoint_there_is_none(anonymous):
    record_entries(300)
    sequence_all()
    for path in ("checkpoint", "proof/inclusion?index=0", "proof/consistency?first=1"):
        answer = anonymous.get(f"/log/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "log_not_published")
    assert anonymous.get("/log/tile/0/000").json()["code"] == "not_found"


def test_without_enough_witnesses_there_is_none(anonymous, log_of_600, settings):
    witness = TestWitness("w1.example")
    settings.ASSENT_WITNESSES, settings.ASSENT_WITNESS_QUORUM = [witness.setting], 1
    assert anonymous.get("/log/checkpoint").status_code == 404
    cosignature = witness.cosign(newest_checkpoint())

    assert anonymous.get("/log/checkpoint").content.decode().endswith(cosignature.line)


def test_a_full_tile_is_cached_for_ever(anonymous, log_of_600):
    answer = anonymous.get("/log/tile/0/001")

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.content == b"".join(leaf_hash(body) for body in log_of_600[256:512])


def test_partial_tiles_are_cached_shortly(anonymous, log_of_600):
    width = log_size() - 512
    answer = anonymous.get(f"/log/tile/0/002.p/{width}")
    above = anonymous.get("/log/tile/1/000.p/2")

    assert answer["Cache-Control"] == above["Cache-Control"] == "public, max-age=300"
    assert answer.content == b"".join(leaf_hash(body) for body in log_of_600[512:])
    assert len(above.content) == 64


def test_entries_come_in_bundles(anonymous, log_of_600):
    full = anonymous.get("/log/tile/entries/000")
    partial = anonymous.get("/log/tile/entries/002.p/3")

    assert full["Content-Type"] == "application/octet-stream"
    assert full["Cache-Control"] == "public, max-age=31536000, immutable"
    assert split(full.content) == log_of_600[:256]
    assert split(partial.content) == log_of_600[512:515]


def test_bundles_are_compressed_for_who_takes_that(anonymous, log_of_600):
    answer = anonymous.get("/log/tile/entries/000", headers={"Accept-Encoding": "gzip"})

    assert answer["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer["Vary"]
    assert split(gzip.decompress(answer.content)) == log_of_600[:256]


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/002",
        "tile/0/002.p/200",
        "tile/0/999",
        "tile/1/000",
        "tile/2/000.p/1",
        "tile/63/x999/x999/x999/x999/x999/x999/999",
        "tile/64/000",
        "tile/0/0",
        "tile/entries/003",
        "tile/entries/002.p/200",
        "tile/entries/nonsense",
        "tile/",
        "",
        "proof",
        "checkpoint/",
    ],
)
def test_elsewhere_there_is_nothing(anonymous, log_of_600, path):
    answer = anonymous.get(f"/log/{path}")

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"


def test_what_no_checkpoint_covers_yet_is_not_served(anonymous, log_of_600):
    record_entries(1)
    sequence_all()
    width = log_size() - 512

    assert anonymous.get(f"/log/tile/0/002.p/{width}").status_code == 404
    assert anonymous.get(f"/log/tile/entries/002.p/{width - 1}").status_code == 200


@pytest.mark.parametrize(("index", "query"), [(0, ""), (255, "&size=256"), (599, ""), (3, "&size=4")])
def test_inclusion_is_proven(anonymous, log_of_600, index, query):
    told = anonymous.get(f"/log/proof/inclusion?index={index}{query}").json()

    root, leaf = b64decode(told["root_hash"]), b64decode(told["leaf_hash"])
    assert leaf == leaf_hash(log_of_600[index])
    assert root == root_at(told["size"])
    verify_inclusion(
        index=told["index"], size=told["size"], leaf=leaf, proof=[b64decode(each) for each in told["proof"]], root=root
    )


@pytest.mark.parametrize("query", ["first=1", "first=256&second=600", "first=600&second=600"])
def test_consistency_is_proven(anonymous, log_of_600, query):
    told = anonymous.get(f"/log/proof/consistency?{query}").json()

    verify_consistency(
        first=told["first"],
        second=told["second"],
        first_root=b64decode(told["first_root_hash"]),
        second_root=b64decode(told["second_root_hash"]),
        proof=[b64decode(each) for each in told["proof"]],
    )


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("inclusion?index=600000", "log_range_invalid"),
        ("inclusion?index=5&size=5", "log_range_invalid"),
        ("inclusion?index=5&size=5000", "log_range_invalid"),
        ("consistency?first=9&second=8", "log_range_invalid"),
        ("consistency?first=1&second=5000", "log_range_invalid"),
        ("inclusion", "invalid"),
        ("inclusion?index=-1", "invalid"),
        ("inclusion?index=1&size=0", "invalid"),
        ("inclusion?index=99999999999999999999", "invalid"),
        ("consistency?first=0", "invalid"),
        ("consistency?first=one", "invalid"),
        ("inclusion?index=1&tree=2", "query_invalid"),
    ],
)
def test_proofs_of_what_there_is_not_are_refused(anonymous, log_of_600, path, code):
    answer = anonymous.get(f"/log/proof/{path}")

    assert (answer.status_code, answer.json()["code"]) == (400, code)
