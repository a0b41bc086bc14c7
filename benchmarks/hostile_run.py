"""Sends files to a stack one after another, and measures its worker, its web server and how soon it answers."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import psutil
import requests

from scripts.demo.client import ENDED, PartnerApp
from scripts.stack.stack import Stack
from tests.factories.hostile import OddFile
from tests.factories.odd_scenes import jpeg, scene

CREATOR: Final = "ada"
"""A creator of the demo whose consent covers what is asked for here."""
JOB_SECONDS: Final = 300.0
"""A job without an end after this is lost."""
UPLOAD_SECONDS: Final = 120.0
POLL_SECONDS: Final = 0.05
TOKEN_SECONDS: Final = 300.0
MEGABYTE: Final = 1024 * 1024
SERVER_ERROR: Final = 500
CREATED: Final = 201
MODERATION: Final = "moderation_"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file, and what the worker and the web server had to do for it."""

    kind: str
    name: str
    harmless: bool
    status: int
    code: str
    end: str
    reason: str
    upload_seconds: float
    job_seconds: float
    web_seconds: float
    worker_mb: float

    @property
    def accepted(self) -> bool:
        """Whether the upload was taken."""
        return self.status == CREATED

    @property
    def denied_falsely(self) -> bool:
        """Whether moderation took a harmless photograph for something else."""
        return self.harmless and self.reason.startswith(MODERATION)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was measured from outside meanwhile: megabytes of the worker, milliseconds of `/healthz`."""

    idle_mb: float
    peak_mb: float
    healthz_max_ms: float
    server_errors: int


@dataclass(frozen=True, slots=True)
class Report:
    """All outcomes, and what was seen."""

    outcomes: Sequence[Outcome]
    seen: Seen

    def figures(self) -> dict[str, object]:
        """Return the figures of the last line."""
        accepted = sum(each.accepted for each in self.outcomes)
        return {
            "bench": "hostile",
            "files": len(self.outcomes),
            "accepted": accepted,
            "refused": len(self.outcomes) - accepted,
            "server_errors": self.server_errors,
            "lost_jobs": self.lost_jobs,
            "peak_worker_mb": round(self.seen.peak_mb),
            "idle_worker_mb": round(self.seen.idle_mb),
            "slowest_job_s": round(max((each.job_seconds for each in self.outcomes), default=0.0), 1),
            "healthz_max_ms": round(self.seen.healthz_max_ms),
            "false_denials": self.false_denials,
        }

    @property
    def server_errors(self) -> int:
        """Answers of 500 and above, to whatever was asked."""
        return self.seen.server_errors + sum(each.status >= SERVER_ERROR for each in self.outcomes)

    @property
    def lost_jobs(self) -> int:
        """Jobs that had no end in time."""
        return sum(each.accepted and each.end not in ENDED for each in self.outcomes)

    @property
    def false_denials(self) -> int:
        """Harmless photographs that moderation denied."""
        return sum(each.denied_falsely for each in self.outcomes)

    @property
    def failed(self) -> bool:
        """Whether anything happened that must not."""
        return bool(self.server_errors or self.lost_jobs or self.false_denials)


class Watch:
    """Looks at the worker's memory and at `/healthz` many times a second, from threads of its own."""

    def __init__(self, stack: Stack) -> None:
        """Nothing is looked at yet."""
        self._worker = psutil.Process(_pid(stack, "worker"))
        self._web = psutil.Process(_pid(stack, "web"))
        self._url = f"{stack.web_url}/healthz"
        self._ended = threading.Event()
        self.idle_mb = 0.0
        self._peak_mb = 0.0
        self._lap_mb = 0.0
        self._slowest = 0.0
        self._errors = 0
        self._threads = [threading.Thread(target=look, daemon=True) for look in (self._watch_memory, self._ask)]

    def start(self) -> None:
        """Begin to look; what the worker holds now is what it holds at rest."""
        self.idle_mb = self._memory()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def lap(self) -> float:
        """Return the most megabytes that the worker held since the last call."""
        most, self._lap_mb = self._lap_mb, 0.0
        return most

    def web_seconds(self) -> float:
        """Return how many seconds of processor time the web server has used."""
        used = 0.0
        for process in [self._web, *self._web.children(recursive=True)]:
            times = process.cpu_times()
            used += times.user + times.system
        return used

    def seen(self) -> Seen:
        """Return what was seen."""
        return Seen(self.idle_mb, self._peak_mb, 1000 * self._slowest, self._errors)

    def _memory(self) -> float:
        processes = [self._worker, *self._worker.children(recursive=True)]
        return sum(process.memory_info().rss for process in processes) / MEGABYTE

    def _watch_memory(self) -> None:
        while not self._ended.wait(POLL_SECONDS / 2):
            now = self._memory()
            self._peak_mb, self._lap_mb = max(self._peak_mb, now), max(self._lap_mb, now)

    def _ask(self) -> None:
        with requests.Session() as session:
            while not self._ended.wait(POLL_SECONDS):
                started = time.monotonic()
                try:
                    answer = session.get(self._url, timeout=UPLOAD_SECONDS)
                except requests.RequestException:
                    self._errors += 1
                    continue
                self._slowest = max(self._slowest, time.monotonic() - started)
                self._errors += answer.status_code >= SERVER_ERROR


@contextmanager
def watched(stack: Stack, app: PartnerApp) -> Iterator[Watch]:
    """Watch the stack inside the block. A first job before it makes the worker load its models."""
    watch = Watch(stack)
    _run(app, OddFile("first", "first", lambda: jpeg(scene(seed=99))), watch)
    watch.lap()
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()


def run_files(app: PartnerApp, files: Sequence[OddFile], watch: Watch) -> list[Outcome]:
    """Upload each file, run what is accepted to its end, and return what became of them."""
    outcomes, renewed = [], time.monotonic()
    for file in files:
        if time.monotonic() - renewed > TOKEN_SECONDS:
            app.authenticate()
            renewed = time.monotonic()
        outcomes.append(_run(app, file, watch))
    return outcomes


def _run(app: PartnerApp, file: OddFile, watch: Watch) -> Outcome:
    content, before, started = file.make(), watch.web_seconds(), time.monotonic()
    watch.lap()
    answer = _upload(app, file, content)
    uploaded = time.monotonic()
    web_seconds = watch.web_seconds() - before
    told = answer.json() if answer.headers.get("Content-Type", "").endswith("json") else {}
    end, reason = _end_of(app, str(told["id"])) if answer.status_code == CREATED else ("", "")
    return Outcome(
        kind=file.kind,
        name=file.name,
        harmless=file.harmless,
        status=answer.status_code,
        code=str(told.get("code", "")),
        end=end,
        reason=reason,
        upload_seconds=uploaded - started,
        job_seconds=time.monotonic() - uploaded if end else 0.0,
        web_seconds=web_seconds,
        worker_mb=watch.lap(),
    )


def _upload(app: PartnerApp, file: OddFile, content: bytes) -> requests.Response:
    return app.session.post(
        f"{app.base_url}/api/v1/assets",
        data={"creator": CREATOR, "title": f"{file.kind}: {file.name}"},
        files={"file": ("work", content)},
        timeout=UPLOAD_SECONDS,
    )


def _end_of(app: PartnerApp, asset_id: str) -> tuple[str, str]:
    """Submit a job for a work and wait for its end; return the state and the reason."""
    answer = app.submit(asset_id, purpose="commercial", key=f"hostile-{asset_id}")
    told = answer.json()
    if "id" not in told:
        return (str(answer.status_code) if answer.status_code >= SERVER_ERROR else "denied"), str(told.get("code", ""))
    deadline = time.monotonic() + JOB_SECONDS
    job = told
    while job["state"] not in ENDED and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        job = app.fetch(f"/jobs/{told['id']}").json()
    return str(job["state"]), str(job.get("reason_code") or "")


def _pid(stack: Stack, name: str) -> int:
    pid = stack.process(name).pid
    assert pid is not None
    return pid
