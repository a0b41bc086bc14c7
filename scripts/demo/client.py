"""A partner app, as a partner would write it: tokens, JSON, polling. Only the public REST API is used."""

import time
from dataclasses import dataclass, field
from typing import cast

import requests

from scripts.demo.answers import Job, Token

API = "/api/v1"
TIMEOUT_SECONDS = 30
POLL_SECONDS = 0.05
ENDED = frozenset({"released", "denied", "cancelled", "failed"})


class Unexpected(Exception):
    """The API gave an answer after which the scenario cannot continue."""


@dataclass
class PartnerApp:
    """One partner's client of the API. `token` is fetched on first use."""

    base_url: str
    client_id: str
    client_secret: str
    session: requests.Session = field(default_factory=requests.Session)

    def authenticate(self) -> Token:
        """Get an access token by client credentials (RFC 6749 section 4.4) and return the token response."""
        answer = self.session.post(
            f"{self.base_url}{API}/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=(self.client_id, self.client_secret),
            timeout=TIMEOUT_SECONDS,
        )
        token = cast("Token", _json(answer, 200))
        self.session.headers["Authorization"] = f"Bearer {token['access_token']}"
        return token

    def get(self, path: str, **params: str) -> object:
        """Return the JSON that GET `path` answers with. Raises Unexpected for another status than 200."""
        return _json(self.fetch(path, **params), 200)

    def fetch(self, path: str, **params: str) -> requests.Response:
        """Return the plain answer to GET `path`."""
        return self.session.get(f"{self.base_url}{API}{path}", params=params, timeout=TIMEOUT_SECONDS)

    def submit(self, asset_id: str, *, purpose: str, key: str, model: str = "espcn-x2") -> requests.Response:
        """Ask for an upscale of one work and return the answer, whatever it is."""
        return self.session.post(
            f"{self.base_url}{API}/jobs",
            json={"model": model, "task": "upscale", "purpose": purpose, "inputs": [asset_id]},
            headers={"Idempotency-Key": key},
            timeout=TIMEOUT_SECONDS,
        )

    def wait(self, job_id: str, *, until: frozenset[str] = ENDED, seconds: float = 60) -> Job:
        """Return the job once its state is one of `until`. Raises Unexpected when that takes too long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            job = cast("Job", self.get(f"/jobs/{job_id}"))
            if job["state"] in until:
                return job
            if job["state"] in ENDED:
                break
            time.sleep(POLL_SECONDS)
        raise Unexpected(f"Job {job_id} is {job['state']} ({job.get('reason_code')}), not one of {sorted(until)}.")


def _json(answer: requests.Response, status: int) -> object:
    if answer.status_code != status:
        raise Unexpected(f"{answer.request.method} {answer.url} answered {answer.status_code}: {answer.text[:500]}")
    return answer.json()
