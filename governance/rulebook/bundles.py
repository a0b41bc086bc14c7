"""Revisions as bundles that an OPA server pulls: deterministic archives, signed as OPA verifies them.

Format: https://www.openpolicyagent.org/docs/management-bundles#bundle-file-format and #signing. The signature is a JWT
(RFC 7519) in compact form with ES256, over the SHA-256 of every file. The same program and key give the same bytes.
"""

import gzip
import io
import tarfile
from base64 import urlsafe_b64encode
from dataclasses import dataclass

from governance.engines.opa_modules import ROOTS, opa_modules
from governance.engines.types import PolicyProgram
from governance.kernel.canonical import canonical_json, sha256_hex
from governance.kernel.errors import Unavailable
from governance.keys.ring import KeyAlgorithm, KeyPurpose, KeyRing, PublicKeyInfo

MEDIA_TYPE = "application/vnd.openpolicyagent.bundles"
#: A server accepts the signature only for this scope, so no bundle of another kind is taken for a policy.
SCOPE = "assent-policy"
MANIFEST, SIGNATURES = ".manifest", ".signatures.json"
FORMAT = 1


class BundleKeyUnfit(Unavailable):
    """The key for bundles does not sign as OPA verifies."""

    code = "bundle_key_unfit"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A signed bundle. `etag` is quoted (RFC 9110 section 8.8.3) and changes with revision, key and format."""

    revision: str
    etag: str
    data: bytes


def signed_bundle(*, program: PolicyProgram, key_ring: KeyRing, prefer: str = "") -> Bundle:
    """Return the bundle of a program, signed with the newest key for bundles, or with `prefer` while that is valid.

    Raises KeyUnavailable when there is none, BundleKeyUnfit when it is not an ES256 key.
    """
    key = key_ring.current(purpose=KeyPurpose.BUNDLE, prefer=prefer)
    if key.algorithm is not KeyAlgorithm.ES256:
        raise BundleKeyUnfit(f"Key {key.key_id} signs with {key.algorithm}; OPA verifies es256.")
    files = bundle_files(program)
    signing_input = _signing_input(files, key.key_id)
    signature = key_ring.sign(purpose=KeyPurpose.BUNDLE, message=signing_input, prefer=key.key_id)
    if signature.key_id != key.key_id:  # it has just ended
        return signed_bundle(program=program, key_ring=key_ring, prefer=prefer)
    token = f"{signing_input.decode()}.{_base64(signature.value)}"
    files[SIGNATURES] = canonical_json({"signatures": [token]})
    return Bundle(program.revision, etag_of(program.revision, key), _archive(files))


def etag_of(revision: str, key: PublicKeyInfo) -> str:
    """Return the entity tag of the bundle of a revision signed with this key."""
    return f'"{FORMAT}.{revision}.{key.key_id}"'


def bundle_files(program: PolicyProgram) -> dict[str, bytes]:
    """Return the files of a program's bundle, unsigned: the manifest and every module."""
    manifest = {"revision": program.revision, "roots": list(ROOTS), "rego_version": 1}
    modules = {path: source.encode() for path, source in opa_modules(program).items()}
    return {MANIFEST: canonical_json(manifest), **modules}


def _signing_input(files: dict[str, bytes], key_id: str) -> bytes:
    listed = [
        {"name": name, "hash": sha256_hex(content), "algorithm": "SHA-256"} for name, content in sorted(files.items())
    ]
    header = {"alg": "ES256", "kid": key_id, "typ": "JWT"}
    payload = {"files": listed, "scope": SCOPE}
    return f"{_base64(canonical_json(header))}.{_base64(canonical_json(payload))}".encode()


def _archive(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    # No times, owners or names of this machine, so that equal files give equal bytes.
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", filename="", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name, content in sorted(files.items()):
            member = tarfile.TarInfo(f"/{name}")
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
