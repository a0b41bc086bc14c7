"""Where the OPA of `make run ENGINE=opa`, the checks and the tests comes from."""

import hashlib
import io
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import build_opa, install_opa
from scripts.build_opa import BuildFailed
from scripts.stack.errors import StackError

PROGRAM = "#!/bin/sh\necho 'Version: {version}'\n"


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty machine: nothing kept, nothing on PATH but the shell, no release to be had, nothing to build from."""
    place = tmp_path / "tools" / "opa"
    monkeypatch.setattr(install_opa, "KEPT", place)
    monkeypatch.delenv("ASSENT_OPA", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    monkeypatch.setattr(install_opa, "can_build", lambda: False)
    install_opa.find_opa.cache_clear()
    yield place
    install_opa.find_opa.cache_clear()


def refuse(*given: object, **named: object) -> None:
    raise OSError("no route")


def program_at(path: Path, version: str = "1.4.2") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PROGRAM.format(version=version))
    path.chmod(0o755)
    return path


def test_a_named_program_wins(tmp_path, kept, monkeypatch):
    program_at(kept)
    named = program_at(tmp_path / "mine")
    monkeypatch.setenv("ASSENT_OPA", str(named))
    assert install_opa.find_opa() == str(named)


def test_what_was_fetched_before_is_kept(kept):
    program_at(kept)
    assert install_opa.find_opa() == str(kept)
    assert install_opa.main() == 0


def test_one_on_path_is_used(tmp_path):
    on_path = program_at(tmp_path / "path" / "opa")
    assert install_opa.find_opa() == str(on_path)


@pytest.mark.parametrize("version", ["0.70.0", "none at all"])
def test_one_that_is_too_old_or_no_opa_is_not_used(tmp_path, version):
    program_at(tmp_path / "path" / "opa", version)
    assert install_opa.find_opa() is None


def test_the_official_release_is_taken_when_its_checksum_is_right(kept, monkeypatch):
    program = PROGRAM.format(version="1.4.2").encode()
    official = {("Linux", "x86_64"): ("opa", hashlib.sha256(program).hexdigest())}
    monkeypatch.setattr(install_opa, "OFFICIAL", official)
    monkeypatch.setattr(install_opa.platform, "system", lambda: "Linux")
    monkeypatch.setattr(install_opa.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(urllib.request, "urlopen", lambda url, timeout: io.BytesIO(program))
    assert install_opa.main() == 0
    assert kept.read_bytes() == program


def test_another_program_than_the_official_one_is_thrown_away(kept, monkeypatch, capsys):
    monkeypatch.setattr(urllib.request, "urlopen", lambda url, timeout: io.BytesIO(b"another"))
    assert install_opa.main() == 1
    assert "its checksum differs" in capsys.readouterr().err
    assert not kept.exists()


def test_without_a_release_it_is_built(kept, monkeypatch):
    monkeypatch.setattr(install_opa, "can_build", lambda: True)
    monkeypatch.setattr(install_opa, "build", program_at)
    assert install_opa.main() == 0
    assert install_opa.find_opa() == str(kept)


def test_a_failed_installation_says_what_was_tried_and_what_to_do(monkeypatch, capsys):
    def fail(target: Path) -> None:
        raise BuildFailed("fetching from Debian sid: no such package")

    monkeypatch.setattr(install_opa, "can_build", lambda: True)
    monkeypatch.setattr(install_opa, "build", fail)
    assert install_opa.main() == 1
    *_, sentence = capsys.readouterr().err.splitlines()
    assert "no route" in sentence
    assert "no such package" in sentence
    assert "ASSENT_OPA=/path/to/opa" in sentence


def test_a_named_program_that_is_not_opa_is_reported(monkeypatch, capsys):
    monkeypatch.setenv("ASSENT_OPA", "/nowhere/opa")
    assert install_opa.main() == 1
    assert "/nowhere/opa" in capsys.readouterr().err


def test_opa_program_raises_where_there_is_no_opa(kept):
    with pytest.raises(StackError, match="make opa"):
        install_opa.opa_program()


def test_a_failed_step_is_named_with_the_end_of_its_output():
    with pytest.raises(BuildFailed, match="trying: the reason"):
        build_opa._run(["/bin/sh", "-c", "echo more; echo the reason >&2; exit 3"], step="trying")
