import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from governance.kernel import strict_base64
from governance.kernel.canonical import canonical_json
from governance.keys.pairs import public_pem_of
from governance.transparency.proofs import format_proof_file, parse_proof_file
from governance.transparency.verifier import Outcome, Status, Verdict, verify
from governance.transparency.verifier.checks import STEP_NAMES
from governance.transparency.verifier.reading import MAX_DOCUMENT_BYTES, Unreadable
from governance.transparency.verifier.trust import IndexRange, TrustFile, read_trust
from tests.factories.receipts import (
    ARTIFACT,
    INDEX,
    ORIGIN,
    PREDICATE,
    SIZE,
    Files,
    ed25519,
    entry_of,
    es256,
    evidence_statement,
    proof_of,
    receipt,
    signed,
    statement,
    trust,
    witness_vkey,
)

Path = tuple[str | int, ...]
FILES = Files()
RECEIPT = FILES.receipt_bytes
TRUST = FILES.trust_bytes


def judged(files: Files) -> Verdict:
    return verify(files.receipt_bytes, files.artifact, files.trust_bytes)


def refused_at(verdict: Verdict) -> str:
    """Return the step that failed, after checking that nothing else is said."""
    assert verdict.failed is not None
    assert verdict.established == ()
    assert [step.name for step in verdict.steps] == list(STEP_NAMES)
    place = STEP_NAMES.index(verdict.failed.name)
    assert {step.outcome for step in verdict.steps[place + 1 :]} <= {Outcome.SKIPPED}
    assert (verdict.status is Status.UNUSABLE) == (verdict.failed.name in ("receipt", "trust"))
    assert verdict.exit_code == {Status.INVALID: 1, Status.UNUSABLE: 2}[verdict.status]
    return verdict.failed.name


# What is valid


def test_a_receipt_that_fits_is_valid() -> None:
    verdict = judged(FILES)

    assert (verdict.status, verdict.exit_code, verdict.failed) == (Status.VALID, 0, None)
    assert [(step.name, step.outcome) for step in verdict.steps] == [(name, Outcome.OK) for name in STEP_NAMES]
    assert f"about asset {statement()['predicate']['asset']}" in verdict.established[0]
    assert f"entry {INDEX} of the log {ORIGIN}, among {SIZE}" in verdict.established[1]
    assert "byte for byte" in verdict.established[2]
    assert "at least 1, saw the same log" in verdict.established[3]
    assert "rests on the trust file with SHA-256" in verdict.established[4]


def test_evidence_of_a_job_is_a_receipt_too() -> None:
    assert judged(Files(receipt=receipt(evidence_statement()))).status is Status.VALID


def test_es256_keys_sign_receipts_too() -> None:
    key = es256(7)

    assert judged(Files(receipt=receipt(signer=key), trust=trust(signer=key))).status is Status.VALID


def test_without_an_artifact_nothing_is_reported_about_it() -> None:
    verdict = judged(Files(artifact=None))

    assert verdict.status is Status.VALID
    assert verdict.steps[2].outcome is Outcome.SKIPPED
    assert "says nothing about any file" in verdict.established[2]


def test_missing_witnesses_are_explained() -> None:
    verdict = judged(Files(receipt=receipt(witnesses=0), trust=trust(threshold=0, witnesses=0)))

    assert verdict.status is Status.VALID
    assert verdict.steps[-1].outcome is Outcome.SKIPPED
    assert "No witness was asked for" in verdict.established[3]


def test_two_of_three_witnesses_are_enough() -> None:
    assert judged(Files(receipt=receipt(witnesses=2), trust=trust(threshold=2, witnesses=3))).status is Status.VALID


def test_a_development_key_is_called_one() -> None:
    stated = statement()
    envelope = signed(stated, development=True)
    entry = canonical_json(entry_of(envelope, stated))
    known = FILES.receipt | {"envelope": envelope, "entry": strict_base64.encode(entry), "proof": proof_of(entry)}

    verdict = judged(Files(receipt=known, trust=trust(development=True)))

    assert verdict.status is Status.VALID
    assert "key for development" in verdict.established[-1]


def test_other_ways_to_write_the_same_json_are_taken() -> None:
    written = json.dumps(FILES.receipt, indent=2, sort_keys=False).encode()

    assert verify(written, ARTIFACT, json.dumps(FILES.trust, indent=1).encode()).status is Status.VALID


def test_times_far_away_can_be_shown() -> None:
    known = FILES.copy()
    known.receipt["proof"] = proof_of(strict_base64.decode(known.receipt["entry"]), seen_at=2**62)

    assert "4611686018427387904 seconds after 1970" in judged(known).steps[-1].detail


# The first phase: no proof yet


def test_without_a_proof_a_receipt_cannot_be_relied_on_yet() -> None:
    verdict = judged(Files(receipt=FILES.receipt | {"proof": None}))

    outcomes = {step.name: step.outcome for step in verdict.steps}
    assert (verdict.status, verdict.exit_code, verdict.failed) == (Status.UNUSABLE, 2, None)
    assert [name for name, outcome in outcomes.items() if outcome is Outcome.SKIPPED] == [
        "key", "inclusion", "checkpoint", "witnesses",
    ]  # fmt: skip
    assert "no proof yet" in verdict.steps[4].detail


def test_without_a_proof_the_rest_is_still_checked() -> None:
    assert refused_at(judged(Files(receipt=FILES.receipt | {"proof": None}, artifact=b"another"))) == "artifact"


# Every field


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of everything in `value` that holds nothing else."""
    children = {dict: lambda: value.items(), list: lambda: enumerate(value)}.get(type(value), lambda: ())()
    below = [leaf for name, child in children for leaf in leaves(child, (*path, name))]
    yield from below or [path]


def other(value: Any) -> Any:
    """Return another value of the same kind."""
    return {
        str: lambda: chr(ord(value[0]) ^ 1) + value[1:],
        bool: lambda: not value,
        int: lambda: value + 1,
        type(None): lambda: 0,
        list: lambda: ["more"],
        dict: lambda: {"more": 1},
    }[type(value)]()


def changed(document: Mapping[str, Any], path: Path, change: Callable[[Any], Any] = other) -> dict[str, Any]:
    """Return the document with the value at `path` replaced by what `change` makes of it."""
    copied = copy.deepcopy(dict(document))
    holder: Any = copied
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = change(holder[path[-1]])
    return copied


def named(cases: Mapping[Path, Any]) -> list[Any]:
    return [pytest.param(path, expected, id=".".join(map(str, path))) for path, expected in cases.items()]


RECEIPT_FIELDS: dict[Path, str] = {
    ("format",): "receipt",
    ("envelope", "payloadType"): "signature",
    ("envelope", "payload"): "receipt",
    ("envelope", "signatures", 0, "keyid"): "signature",
    ("envelope", "signatures", 0, "sig"): "signature",
    ("entry",): "entry",
    ("included_by",): "signature",
    ("proof",): "receipt",
}
STATEMENT_FIELDS: dict[Path, str] = {
    ("_type",): "receipt",
    ("subject", 0, "name"): "signature",
    ("subject", 0, "digest", "sha256"): "artifact",
    ("predicateType",): "signature",
    ("predicate", "asset"): "signature",
    ("predicate", "creator"): "signature",
    ("predicate", "dataset"): "signature",
    ("predicate", "sha256"): "signature",
    ("predicate", "size"): "signature",
    ("predicate", "media_type"): "signature",
    ("predicate", "width"): "signature",
    ("predicate", "height"): "signature",
    ("predicate", "uploaded_by"): "signature",
    ("predicate", "receipt", "id"): "signature",
    ("predicate", "receipt", "entry_id"): "signature",
    ("predicate", "receipt", "kind"): "signature",
    ("predicate", "receipt", "subject", "type"): "signature",
    ("predicate", "receipt", "subject", "id"): "signature",
    ("predicate", "receipt", "issued_at"): "signature",
    ("predicate", "receipt", "included_by"): "signature",
}
#: The holder of the signing key changes the statement after the entry is in the log, and signs it again.
SIGNED_AGAIN = dict.fromkeys(STATEMENT_FIELDS, "entry") | {
    ("_type",): "receipt",
    ("subject", 0, "digest", "sha256"): "artifact",
    ("predicateType",): "key",
    ("predicate", "receipt", "included_by"): "signature",
}
ENTRY_FIELDS: dict[Path, str] = {
    ("v",): "entry",
    ("entry_id",): "entry",
    ("kind",): "entry",
    ("subject", "type"): "entry",
    ("subject", "id"): "entry",
    ("actor", "type"): "inclusion",
    ("actor", "id"): "inclusion",
    ("at",): "inclusion",
    ("data", "envelope_sha256"): "entry",
    ("data", "predicate_type"): "entry",
    ("data", "key_id"): "entry",
    ("data", "size"): "inclusion",
}
TRUST_FIELDS: dict[Path, str] = {
    ("format",): "trust",
    ("origin",): "trust",
    ("log_keys", 0, "vkey"): "trust",
    ("log_keys", 0, "key_id"): "trust",
    ("log_keys", 0, "from_index"): "checkpoint",
    ("log_keys", 0, "until_index"): "valid",  # one more: the key counts for longer, which is for the file to say
    ("log_keys", 0, "revoked_from_index"): "valid",
    ("keys", 0, "key_id"): "trust",
    ("keys", 0, "algorithm"): "trust",
    ("keys", 0, "purpose"): "trust",
    ("keys", 0, "predicates", 0): "key",
    ("keys", 0, "predicates", 1): "valid",  # another predicate than that of the receipt
    ("keys", 0, "public_pem"): "trust",
    ("keys", 0, "from_index"): "key",
    ("keys", 0, "until_index"): "valid",
    ("keys", 0, "revoked_from_index"): "valid",
    ("keys", 0, "development"): "trust",
    ("witnesses", "threshold"): "trust",
    ("witnesses", "keys", 0): "trust",
    ("exported_at",): "valid",  # when the file was made; proves nothing
}


def test_the_tables_name_every_field() -> None:
    entry = json.loads(strict_base64.decode(FILES.receipt["entry"]))

    assert set(RECEIPT_FIELDS) == set(leaves(FILES.receipt))
    assert set(STATEMENT_FIELDS) == set(SIGNED_AGAIN) == set(leaves(statement()))
    assert set(ENTRY_FIELDS) == set(leaves(entry))
    assert set(TRUST_FIELDS) == set(leaves(FILES.trust))


@pytest.mark.parametrize(("path", "step"), named(RECEIPT_FIELDS))
def test_every_field_of_the_receipt_counts(path: Path, step: str) -> None:
    assert refused_at(judged(Files(receipt=changed(FILES.receipt, path)))) == step


@pytest.mark.parametrize(("path", "step"), named(STATEMENT_FIELDS))
def test_every_field_of_the_statement_counts(path: Path, step: str) -> None:
    payload = strict_base64.encode(canonical_json(changed(statement(), path)))
    known = changed(FILES.receipt, ("envelope", "payload"), lambda _: payload)

    assert refused_at(judged(Files(receipt=known))) == step


@pytest.mark.parametrize(("path", "step"), named(SIGNED_AGAIN))
def test_an_entry_of_another_place_is_refused(path: Path, step: str) -> None:
    known = FILES.receipt | {"envelope": signed(changed(statement(), path))}

    assert refused_at(judged(Files(receipt=known))) == step


@pytest.mark.parametrize(("path", "step"), named(ENTRY_FIELDS))
def test_every_field_of_the_entry_counts(path: Path, step: str) -> None:
    entry = json.loads(strict_base64.decode(FILES.receipt["entry"]))
    known = FILES.receipt | {"entry": strict_base64.encode(canonical_json(changed(entry, path)))}

    assert refused_at(judged(Files(receipt=known))) == step


@pytest.mark.parametrize(("path", "step"), named(TRUST_FIELDS))
def test_every_field_of_the_trust_file_counts(path: Path, step: str) -> None:
    verdict = judged(Files(trust=changed(FILES.trust, path)))

    assert (verdict.failed.name if verdict.failed else verdict.status.value) == step


DOCUMENTS = [
    *(("receipt", FILES.receipt, path) for path in leaves(FILES.receipt)),
    *(("trust", FILES.trust, path) for path in leaves(FILES.trust)),
]


@pytest.mark.parametrize(("which", "document", "path"), DOCUMENTS, ids=lambda value: str(value)[:40])
@pytest.mark.parametrize("value", [{}, [], 7.5, "", True, -1], ids=repr)
def test_a_value_of_another_kind_is_never_valid(which: str, document: dict[str, Any], path: Path, value: Any) -> None:
    files = FILES.copy()
    setattr(files, which, changed(document, path, lambda _: value))

    verdict = judged(files)

    same = verdict.status is Status.VALID and (path[-1], value) == ("development", False)
    assert (verdict.status is not Status.VALID) or same


@pytest.mark.parametrize(("which", "document", "path"), DOCUMENTS, ids=lambda value: str(value)[:40])
def test_a_missing_or_unknown_member_is_refused(which: str, document: dict[str, Any], path: Path) -> None:
    for change in (_without_last, _with_unknown):
        files = FILES.copy()
        setattr(files, which, change(document, path))
        assert judged(files).status is not Status.VALID or path[-2:] == ("predicates", 1)


def _holder(document: Any, path: Path) -> Any:
    for name in path[:-1]:
        document = document[name]
    return document


def _without_last(document: Mapping[str, Any], path: Path) -> dict[str, Any]:
    copied = copy.deepcopy(dict(document))
    del _holder(copied, path)[path[-1]]
    return copied


def _with_unknown(document: Mapping[str, Any], path: Path) -> dict[str, Any]:
    copied = copy.deepcopy(dict(document))
    holder = _holder(copied, path)
    {dict: lambda: holder.update(unknown=1), list: lambda: holder.append({"unknown": 1})}[type(holder)]()
    return copied


# Every byte


@pytest.mark.parametrize("mask", [0x01, 0x20, 0x80, 0xFF], ids=hex)
def test_every_byte_of_the_receipt_counts(mask: int) -> None:
    verdicts = [verify(_flipped(RECEIPT, at, mask), ARTIFACT, TRUST) for at in range(len(RECEIPT))]

    assert {verdict.status for verdict in verdicts} <= {Status.INVALID, Status.UNUSABLE}
    assert {refused_at(verdict) for verdict in verdicts} <= set(STEP_NAMES)


@given(st.integers(0, len(RECEIPT) - 1), st.integers(1, len(RECEIPT)), st.binary(max_size=40))
def test_no_range_of_the_receipt_can_be_replaced(start: int, length: int, replacement: bytes) -> None:
    data = RECEIPT[:start] + replacement + RECEIPT[start + length :]

    assert data == RECEIPT or verify(data, ARTIFACT, TRUST).status is not Status.VALID


@pytest.mark.parametrize("mask", [0x01, 0x20, 0x80, 0xFF], ids=hex)
def test_every_byte_of_the_trust_file_counts(mask: int) -> None:
    for at in range(len(TRUST)):
        data = _flipped(TRUST, at, mask)
        assert verify(RECEIPT, ARTIFACT, data).status is not Status.VALID or _says_the_same(data)


@given(st.integers(0, len(TRUST) - 1), st.integers(1, len(TRUST)), st.binary(max_size=40))
def test_no_range_of_the_trust_file_can_be_replaced(start: int, length: int, replacement: bytes) -> None:
    data = TRUST[:start] + replacement + TRUST[start + length :]

    assert verify(RECEIPT, ARTIFACT, data).status is not Status.VALID or _says_the_same(data)


def _says_the_same(data: bytes) -> bool:
    """Whether a trust file differs only in what is for it to say: its date, where keys count, how many witnesses."""
    return _weighed(read_trust(data)) == _weighed(read_trust(TRUST))


def _weighed(known: TrustFile) -> TrustFile:
    anywhere = IndexRange(0, ())
    return replace(
        known,
        sha256="",
        threshold=0,
        log_keys=tuple(replace(key, counts=anywhere) for key in known.log_keys),
        keys=tuple(
            replace(key, counts=anywhere, predicates=key.predicates & {PREDICATE}, public=public_pem_of(key.public))
            for key in known.keys
        ),
    )


@pytest.mark.parametrize("mask", [0x01, 0x80])
def test_every_byte_of_the_artifact_counts(mask: int) -> None:
    for at in range(len(ARTIFACT)):
        assert refused_at(judged(Files(artifact=_flipped(ARTIFACT, at, mask)))) == "artifact"


@pytest.mark.parametrize("artifact", [b"", ARTIFACT[:-1], ARTIFACT + b"\x00"])
def test_another_artifact_is_refused(artifact: bytes) -> None:
    assert refused_at(judged(Files(artifact=artifact))) == "artifact"


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_any_bytes_get_a_verdict(first: bytes, second: bytes) -> None:
    assert refused_at(verify(first, second, TRUST)) == "receipt"
    assert refused_at(verify(RECEIPT, first, second)) == "trust"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(DOCUMENTS), JSON)
def test_any_json_gets_a_verdict(known: tuple[str, dict[str, Any], Path], value: Any) -> None:
    which, document, path = known
    files = {"receipt": RECEIPT, "trust": TRUST}
    files[which] = json.dumps(changed(document, path, lambda _: value)).encode()

    assert verify(files["receipt"], ARTIFACT, files["trust"]).exit_code in (0, 1, 2)


@given(st.sampled_from(list(STATEMENT_FIELDS)), JSON)
def test_any_statement_gets_a_verdict(path: Path, value: Any) -> None:
    payload = strict_base64.encode(json.dumps(changed(statement(), path, lambda _: value)).encode())
    known = changed(FILES.receipt, ("envelope", "payload"), lambda _: payload)

    assert judged(Files(receipt=known)).exit_code in (1, 2) or value == leaf_of(statement(), path)


@given(st.sampled_from(list(ENTRY_FIELDS)), JSON)
def test_any_entry_gets_a_verdict(path: Path, value: Any) -> None:
    entry = json.loads(strict_base64.decode(FILES.receipt["entry"]))
    compact = json.dumps(
        changed(entry, path, lambda _: value), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    body = compact.encode(errors="surrogatepass")

    known = Files(receipt=FILES.receipt | {"entry": strict_base64.encode(body), "proof": proof_of(body)})

    assert judged(known).exit_code in (0, 1)


def leaf_of(document: Any, path: Path) -> Any:
    return _holder(document, path)[path[-1]]


def _flipped(data: bytes, at: int, mask: int) -> bytes:
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]


# The proof, line by line

PROOF = FILES.receipt["proof"].split("\n")
LINES = {name: PROOF.index(line) for name, line in zip(
    ("header", "index", "sibling", "origin", "size", "root", "log", "witness"),
    (*PROOF[:3], *PROOF[PROOF.index("") + 1 :][:3], *PROOF[-3:-1]),
    strict=True,
)}  # fmt: skip


@pytest.mark.parametrize(
    ("line", "written", "step"),
    [
        ("header", "c2sp.org/tlog-proof@v2", "receipt"),
        ("index", "index 4", "key"),
        ("index", f"index {INDEX}0", "key"),
        ("index", "index x", "receipt"),
        ("sibling", strict_base64.encode(bytes(32)), "inclusion"),
        ("origin", "log.example/other", "checkpoint"),
        ("size", "12", "checkpoint"),
        ("size", "5", "inclusion"),
        ("size", "9", "checkpoint"),  # a tree of 9 would give this entry a path of the same shape
        ("size", "-1", "receipt"),
        ("root", strict_base64.encode(bytes(32)), "inclusion"),
        ("log", PROOF[LINES["log"]].replace("ledger", "legder"), "checkpoint"),
        ("log", PROOF[LINES["witness"]], "checkpoint"),
        ("witness", PROOF[LINES["witness"]].replace("/w1", "/w9"), "witnesses"),
        ("witness", PROOF[LINES["log"]], "witnesses"),
        ("log", PROOF[LINES["log"]][:-8] + "AAAAAAA=", "checkpoint"),
        ("witness", PROOF[LINES["witness"]][:-8] + "AAAAAA==", "witnesses"),
        ("witness", "- not a signature", "receipt"),
    ],
)
def test_every_line_of_the_proof_counts(line: str, written: str, step: str) -> None:
    lines = list(PROOF)
    lines[LINES[line]] = written

    assert refused_at(judged(Files(receipt=FILES.receipt | {"proof": "\n".join(lines)}))) == step


def test_extra_data_in_a_proof_changes_nothing() -> None:
    with_extra = format_proof_file(replace(parse_proof_file(FILES.receipt["proof"]), extra=b"anything"))

    assert judged(Files(receipt=FILES.receipt | {"proof": with_extra})).status is Status.VALID


# What others might try


def test_the_log_must_be_the_one_that_is_trusted() -> None:
    entry = strict_base64.decode(FILES.receipt["entry"])
    forged = proof_of(entry, log=ed25519(99))

    assert refused_at(judged(Files(receipt=FILES.receipt | {"proof": forged}))) == "checkpoint"


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("from_index", INDEX + 1, "counts from entry 6 to"),
        ("until_index", INDEX, "counts from entry 5 to entry 4"),
        ("revoked_from_index", INDEX, "counts from entry 5 to entry 4"),
    ],
)
def test_a_key_counts_only_at_its_places(field: str, value: int, says: str) -> None:
    verdict = judged(Files(trust=changed(FILES.trust, ("keys", 0, field), lambda _: value)))

    assert refused_at(verdict) == "key"
    assert says in verdict.steps[4].detail


@pytest.mark.parametrize(
    ("field", "value"), [("from_index", SIZE), ("until_index", SIZE - 1), ("revoked_from_index", SIZE - 1)]
)
def test_a_log_key_counts_only_for_trees_of_its_time(field: str, value: int) -> None:
    known = Files(trust=changed(FILES.trust, ("log_keys", 0, field), lambda _: value))

    assert refused_at(judged(known)) == "checkpoint"


def test_open_ends_are_open() -> None:
    known = FILES.copy()
    known.trust["keys"][0] |= {"from_index": 0, "until_index": None, "revoked_from_index": None}
    known.trust["log_keys"][0] |= {"from_index": 0, "until_index": None, "revoked_from_index": None}

    assert "counts from entry 0 on" in judged(known).steps[4].detail
    assert judged(known).status is Status.VALID


def test_a_key_for_other_statements_is_refused() -> None:
    known = Files(trust=changed(FILES.trust, ("keys", 0, "predicates"), lambda _: []))

    assert refused_at(judged(known)) == "key"


def test_a_key_that_nobody_named_is_refused() -> None:
    assert refused_at(judged(Files(receipt=receipt(signer=ed25519(77))))) == "signature"


@pytest.mark.parametrize("count", [0, 2])
def test_a_receipt_has_one_signature(count: int) -> None:
    known = changed(FILES.receipt, ("envelope", "signatures"), lambda signatures: signatures * count)

    assert refused_at(judged(Files(receipt=known))) == "signature"


def test_a_short_signature_is_refused() -> None:
    known = changed(FILES.receipt, ("envelope", "signatures", 0, "sig"), lambda _: "AAAA")

    assert refused_at(judged(Files(receipt=known))) == "signature"


def test_too_few_witnesses_are_refused() -> None:
    verdict = judged(Files(receipt=receipt(witnesses=1), trust=trust(threshold=2, witnesses=3)))

    assert refused_at(verdict) == "witnesses"
    assert "Known witnesses that cosigned: 1; the trust file asks for 2 of 3" in verdict.steps[-1].detail


def test_one_witness_that_signs_twice_counts_once() -> None:
    known = receipt(witnesses=1)
    known["proof"] += known["proof"].split("\n")[-2] + "\n"

    assert refused_at(judged(Files(receipt=known, trust=trust(threshold=2, witnesses=3)))) == "witnesses"


def test_the_log_is_not_its_own_witness() -> None:
    assert refused_at(judged(Files(receipt=receipt(witnesses=0)))) == "witnesses"


@pytest.mark.parametrize(
    "entry",
    [
        b"",
        b"[]",
        b"nothing",
        b"\xff",
        b'{"v":1}',
        json.dumps(json.loads(strict_base64.decode(FILES.receipt["entry"])), indent=1).encode(),
        strict_base64.decode(FILES.receipt["entry"]).replace(b'"v":1', b'"v":1.0'),
        strict_base64.decode(FILES.receipt["entry"]).replace(b'"size":3', b'"size":"\\ud800"'),
        strict_base64.decode(FILES.receipt["entry"]).replace(b'"size":3', b'"size":1e999'),
        strict_base64.decode(FILES.receipt["entry"]).replace(b'"size":3', b'"size":%d' % 2**60),
    ],
)
def test_bytes_that_are_no_entry_are_refused(entry: bytes) -> None:
    known = FILES.receipt | {"entry": strict_base64.encode(entry), "proof": proof_of(entry)}

    assert refused_at(judged(Files(receipt=known))) in ("receipt", "entry")


def test_an_entry_without_a_receipt_is_refused() -> None:
    entry = json.loads(strict_base64.decode(FILES.receipt["entry"])) | {"data": {}}
    body = canonical_json(entry)
    known = FILES.receipt | {"entry": strict_base64.encode(body), "proof": proof_of(body)}

    verdict = judged(Files(receipt=known))

    assert refused_at(verdict) == "entry"
    assert "envelope_sha256, predicate_type, key_id" in verdict.steps[5].detail


@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b"\xff",
        canonical_json(statement(predicate={})),
        canonical_json(statement(predicate=7)),
        canonical_json(statement(predicate={"receipt": {}, "evidence": {}})),
        canonical_json(statement(predicate={"receipt": {}})),
        canonical_json(statement(predicate={"receipt": {"id": "r", "issued_at": "t"}})),
        canonical_json(
            statement(predicate={"receipt": {"id": "r", "issued_at": "t", "subject": {"type": "a", "id": 7}}})
        ),
        canonical_json(statement(subject={})),
        canonical_json(statement(subject=[{"name": "upload", "digest": {"md5": "00"}}])),
        canonical_json(statement(predicateType=7)),
    ],
)
def test_what_is_no_statement_is_unusable(payload: bytes) -> None:
    envelope = {**FILES.receipt["envelope"], "payload": strict_base64.encode(payload)}

    assert refused_at(judged(Files(receipt=FILES.receipt | {"envelope": envelope}))) == "receipt"


@pytest.mark.parametrize(
    "data",
    [
        b" " * (MAX_DOCUMENT_BYTES + 1),
        b"[" * 100 + b"]" * 100,
        b"[" * 100_000,
        b'{"format": 1, "format": 2}',
        b'{"format": NaN}',
        b"9" * 5000,
        '{"format": "\ud800"}'.encode(errors="surrogatepass"),
        json.dumps(FILES.receipt | {"envelope": {"a": "\ud800"}}).encode(),
        json.dumps(FILES.receipt).encode("utf-16"),
    ],
)
def test_hostile_input_is_unusable(data: bytes) -> None:
    assert refused_at(verify(data, ARTIFACT, TRUST)) == "receipt"
    assert refused_at(verify(RECEIPT, ARTIFACT, data)) == "trust"


def _with_key(pem: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda known: changed(known, ("keys", 0, "public_pem"), lambda _: pem)


P384 = derive_private_key(5, SECP384R1()).public_key()
X25519 = X25519PrivateKey.from_private_bytes(bytes(32)).public_key()
SPKI = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_with_key(public_pem_of(es256(5).public_key())), "not one for 'ed25519'"),
        (_with_key(public_pem_of(P384)), "not one for 'ed25519'"),
        (_with_key(X25519.public_bytes(*SPKI).decode()), "not one for 'ed25519'"),
        (_with_key("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), "not a PEM text"),
        (lambda known: changed(known, ("keys", 0, "public_pem"), lambda pem: "note\n" + pem), "more in its PEM"),
        (lambda known: changed(known, ("keys",), lambda keys: keys * 2), "statement key twice"),
        (lambda known: changed(known, ("log_keys",), lambda keys: keys * 2), "log key twice"),
        (lambda known: changed(known, ("witnesses", "keys"), lambda keys: keys * 2), "witness twice"),
        (lambda known: changed(known, ("witnesses", "keys", 0), lambda _: known["log_keys"][0]["vkey"]), "type 1"),
        (lambda known: changed(known, ("log_keys", 0, "vkey"), lambda _: witness_vkey("witness.example/w1")), "type 4"),
        (lambda known: changed(known, ("origin",), lambda _: "elsewhere"), "but the log is 'elsewhere'"),
        (lambda known: changed(known, ("keys", 0, "purpose"), lambda _: "permit"), "does not sign statements"),
        (lambda known: changed(known, ("keys", 0, "from_index"), lambda _: True), "whole number"),
        (lambda known: changed(known, ("witnesses", "threshold"), lambda _: 2), "asks for 2 witnesses and knows 1"),
    ],
)
def test_a_trust_file_that_contradicts_itself_is_unusable(
    change: Callable[[dict[str, Any]], dict[str, Any]], says: str
) -> None:
    known = Files(trust=change(FILES.trust))

    assert refused_at(judged(known)) == "trust"
    with pytest.raises(Unreadable, match=says):
        read_trust(known.trust_bytes)
