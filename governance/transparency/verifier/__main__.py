"""`python -m governance.transparency.verifier RECEIPT --artifact FILE --trust TRUST`: judge a receipt, offline.

Exit code 0: valid, 1: invalid, 2: the input cannot be used (or the proof is still to come).
"""

import hashlib
import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from governance.transparency.verifier.checks import judge, unusable
from governance.transparency.verifier.reading import MAX_DOCUMENT_BYTES
from governance.transparency.verifier.report import as_json, as_text
from governance.transparency.verifier.verdict import Verdict

MAX_ARTIFACT_BYTES = 16 * 1024**3
_CHUNK = 1024 * 1024


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge what the command line names, print what was found, and return the exit code."""
    given = _parser().parse_args(arguments)
    verdict = _judged(given)
    sys.stdout.write(json.dumps(as_json(verdict), indent=2) + "\n" if given.json else as_text(verdict))
    return verdict.exit_code


def _judged(given: Namespace) -> Verdict:
    name = "receipt"
    try:
        receipt = _document(given.receipt)
        name = "trust"
        trust = _document(given.trust)
        name = "artifact"
        artifact_sha256 = None if given.artifact is None else _sha256(given.artifact)
    except OSError as error:
        return unusable(name, f"The file cannot be read: {error.strerror or error}.")
    return judge(receipt=receipt, trust=trust, artifact_sha256=artifact_sha256)


def _document(path: Path) -> bytes:
    """Return a file's bytes, or more of them than are allowed: the reader then refuses it."""
    with path.open("rb") as file:
        return file.read(MAX_DOCUMENT_BYTES + 1)


def _sha256(path: Path) -> str:
    hashed, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            hashed.update(chunk)
            size += len(chunk)
            if size > MAX_ARTIFACT_BYTES:
                raise OSError(f"it has more than {MAX_ARTIFACT_BYTES} bytes")
    return hashed.hexdigest()


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="python -m governance.transparency.verifier",
        description="Judge a receipt offline. Exit code 0: valid, 1: invalid, 2: the input cannot be used.",
    )
    parser.add_argument("receipt", type=Path, help="the receipt file, as the API gives it")
    parser.add_argument("--trust", type=Path, required=True, help="the trust file, got from somebody you trust")
    parser.add_argument("--artifact", type=Path, help="the file that the receipt is about")
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
