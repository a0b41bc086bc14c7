"""Bundles: the same bytes every time, and a signature over every file."""

import hashlib
import io
import json
import tarfile
from base64 import urlsafe_b64decode

import pytest

from governance.engines.types import PolicyProgram
from governance.keys.ring import KeyAlgorithm, KeyPurpose, KeyUnavailable, Signature
from governance.rulebook.bundles import SCOPE, BundleKeyUnfit, signed_bundle
from tests.factories.keys import development_ring

PROGRAM = PolicyProgram(revision="b" * 64, modules={"asset.infer": "package assent.asset.infer\n"}, rules={})


def files_of(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {member.name.lstrip("/"): archive.extractfile(member).read() for member in archive}


def part(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.fixture
def ring():
    return development_ring()


@pytest.fixture
def files(ring):
    return files_of(signed_bundle(program=PROGRAM, key_ring=ring).data)


def test_the_same_program_and_key_give_the_same_bytes(ring):
    assert signed_bundle(program=PROGRAM, key_ring=ring) == signed_bundle(program=PROGRAM, key_ring=ring)


def test_the_manifest_names_the_revision_and_what_the_bundle_owns(files):
    manifest = json.loads(files[".manifest"])
    assert manifest["revision"] == PROGRAM.revision
    assert manifest["roots"] == ["assent", "system/authz", "system/log"]


def test_every_file_is_signed_with_the_scope(files, ring):
    header, payload, value = json.loads(files[".signatures.json"])["signatures"][0].split(".")
    claims, key = json.loads(part(payload)), ring.current(purpose=KeyPurpose.BUNDLE)
    assert json.loads(part(header)) == {"alg": "ES256", "kid": key.key_id, "typ": "JWT"}
    assert claims["scope"] == SCOPE
    signed = {each["name"]: each["hash"] for each in claims["files"]}
    assert signed == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name != ".signatures.json"
    }
    signature = Signature(key.key_id, KeyAlgorithm.ES256, part(value))
    ring.verify(purpose=KeyPurpose.BUNDLE, message=f"{header}.{payload}".encode(), signature=signature)


def test_a_preferred_key_signs_until_it_ends(ring):
    old = ring.current(purpose=KeyPurpose.BUNDLE).key_id
    new = ring.rotate(purpose=KeyPurpose.BUNDLE)
    assert new.algorithm is KeyAlgorithm.ES256
    assert old in signed_bundle(program=PROGRAM, key_ring=ring, prefer=old).etag
    assert new.key_id in signed_bundle(program=PROGRAM, key_ring=ring).etag
    ring.revoke(key_id=old)
    assert new.key_id in signed_bundle(program=PROGRAM, key_ring=ring, prefer=old).etag
    ring.revoke(key_id=new.key_id)
    with pytest.raises(KeyUnavailable):
        signed_bundle(program=PROGRAM, key_ring=ring)


def test_a_key_that_opa_cannot_verify_is_refused(ring, monkeypatch):
    permit_key = ring.current(purpose=KeyPurpose.PERMIT)
    monkeypatch.setattr(ring, "current", lambda **given: permit_key)
    with pytest.raises(BundleKeyUnfit):
        signed_bundle(program=PROGRAM, key_ring=ring)
