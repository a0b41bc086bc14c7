"""Where the browser for the browser tests comes from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import install_chromium


@pytest.fixture(autouse=True)
def forgetful() -> Iterator[None]:
    install_chromium.find_chromium.cache_clear()
    yield
    install_chromium.find_chromium.cache_clear()


def test_a_named_browser_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = tmp_path / "my-chromium"
    browser.touch(mode=0o755)
    monkeypatch.setenv("ASSENT_CHROMIUM", str(browser))
    assert install_chromium.find_chromium() == str(browser)


def test_a_browser_on_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "google-chrome").touch(mode=0o755)
    monkeypatch.delenv("ASSENT_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert install_chromium.find_chromium() == str(tmp_path / "google-chrome")


def test_without_a_browser_and_without_root_there_is_advice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASSENT_CHROMIUM", "/nowhere/chromium")
    monkeypatch.setattr(install_chromium.os, "geteuid", lambda: 1000)
    assert install_chromium.main() == 1
    assert "apt-get install chromium" in capsys.readouterr().err


def test_root_on_debian_installs_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    apt = tmp_path / "apt-get"
    apt.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n')
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(install_chromium.os, "geteuid", lambda: 0)
    assert install_chromium.install()
    assert "install --yes --no-install-recommends chromium" in (tmp_path / "calls").read_text()
