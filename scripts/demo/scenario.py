"""The first seven steps of the demo; `proof` has the last.

Partner apps use the REST API only; creators and the governance team use the console's services through `manage.py`; the
worker is really killed and a file really altered.
"""

import json
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import requests

from governance.demo import samples
from scripts.demo.answers import Decision, Evidence, Job, JobPage, ModelPage, Report, Work, WorkPage
from scripts.demo.client import PartnerApp
from scripts.demo.transcript import Transcript
from scripts.stack.stack import Stack

REGION_RULE_ID = "no-upscaling-in-germany"
REGION_RULE = {
    "id": REGION_RULE_ID,
    "effect": "deny",
    "actions": ["model.invoke"],
    "condition": {"attr": "subject.region", "op": "in", "value": ["DE", "AT"]},
    "reason_code": "region_blocked",
    "message": "Upscaling is not offered to partners in Germany and Austria while a dispute is open.",
}
PSNR_GAIN_LEAST_DB = 0.5


@dataclass
class Scenario:
    """One run of the scenario against a running stack."""

    stack: Stack
    app: PartnerApp
    tell: Transcript
    console_user: str
    psnr_gain_db: float = 0.0
    works: dict[str, Work] = field(default_factory=dict)
    first_job: str = ""
    first_evidence_uri: str = ""
    checked: dict[str, int] = field(default_factory=dict)

    def run(self) -> None:
        """Play all steps. Raises Unexpected where the scenario cannot continue."""
        self.step_1_governed_inference()
        self.step_2_consent_does_not_cover()
        self.step_3_licence_and_region()
        self.step_4_idempotency()
        recover = self.step_5_worker_killed()
        self.step_6_consent_withdrawn_in_the_queue(recover)
        self.step_7_tampering_is_named()

    def step_1_governed_inference(self) -> None:
        """Submit an upscale of a work, wait for its release, and look at the output and the evidence."""
        self.tell.chapter(1, "A governed inference: decided, run under a permit, moderated, released, proven")
        token = self.app.authenticate()
        self.tell.say("token", f"{token['token_type']}, {token['expires_in']} s, scope: {token['scope']}")
        self.tell.expect("the token lives at most 15 minutes", token["expires_in"] <= 900)
        models = cast("ModelPage", self.app.get("/models"))["results"]
        self.tell.say("models", ", ".join(f"{each['slug']} ({each['licence']['name']})" for each in models))
        works = cast("WorkPage", self.app.get("/assets", page_size="50"))["results"]
        self.works = {work["title"]: work for work in works}
        job = self._submit_and_show("Portrait in orange", "commercial", "demo-1")
        self.first_job = job["id"]
        done = self.app.wait(self.first_job)
        self.tell.say("job", f"{done['state']}, attempts: {done['attempts']}")
        self.tell.expect("the job is released", done["state"] == "released")
        self._compare_with_bicubic()
        self._show_evidence()

    def _compare_with_bicubic(self) -> None:
        output = self.app.fetch(f"/jobs/{self.first_job}/output")
        original = samples.photo_png("astronaut")
        ours = samples.psnr(original, output.content)
        bicubic = samples.psnr(original, samples.bicubic_png(samples.low_resolution_png("astronaut")))
        self.psnr_gain_db = round(ours - bicubic, 2)
        self.tell.say("output", f"{len(output.content):,} bytes, ETag {output.headers['ETag'][:20]}…")
        self.tell.say("quality", f"{ours:.2f} dB PSNR, bicubic {bicubic:.2f} dB: +{self.psnr_gain_db:.2f} dB")
        self.tell.expect(f"at least {PSNR_GAIN_LEAST_DB} dB better", self.psnr_gain_db >= PSNR_GAIN_LEAST_DB)

    def _show_evidence(self) -> None:
        evidence = cast("Evidence", self.app.get(f"/jobs/{self.first_job}/evidence"))
        worm = evidence["worm_reference"]
        self.first_evidence_uri = worm["uri"]
        self.tell.say("evidence", f"DSSE envelope, SHA-256 {evidence['envelope_sha256'][:16]}…")
        self.tell.say("WORM", f"{worm['uri']}, kept until {worm['retain_until'][:10]}")
        self.tell.expect("the evidence is in WORM storage", self._worm_file(worm["uri"]).is_file())

    def step_2_consent_does_not_cover(self) -> None:
        """Ask for a purpose that the creator did not consent to: denied, and nothing is queued."""
        self.tell.chapter(2, "A work whose consent does not cover the purpose")
        before = self._open_jobs()
        answer = self._submit("Chelsea, resting", "commercial", "demo-2")
        self._expect_denied(answer, "consent_not_covered")
        self.tell.expect("nothing was queued", self._open_jobs() == before)

    def step_3_licence_and_region(self) -> None:
        """Ask against the model's licence, then add and remove a region rule and ask under each."""
        self.tell.chapter(3, "What the model's licence forbids, and a region rule that comes and goes")
        answer = self._submit("Portrait in orange", "derivative_commercial", "demo-3-licence")
        self._expect_denied(answer, "licence_purpose_not_covered")
        added = json.loads(self._manage("rule", "add", "--user", self.console_user, "--json", json.dumps(REGION_RULE)))
        self.tell.say("rule added", f"{REGION_RULE_ID}, revision {added['revision']}")
        self._expect_denied(self._submit("Portrait in orange", "commercial", "demo-3-blocked"), "region_blocked")
        removed = json.loads(self._manage("rule", "remove", REGION_RULE_ID, "--user", self.console_user))
        self.tell.say("rule gone", f"revision {removed['revision']} decides again")
        job = self._submit_and_show("Portrait in orange", "commercial", "demo-3-allowed")
        self.tell.expect("allowed again, and released", self.app.wait(job["id"])["state"] == "released")

    def step_4_idempotency(self) -> None:
        """Send the first request again, and another one under its idempotency key."""
        self.tell.chapter(4, "The same Idempotency-Key again")
        again = self._submit("Portrait in orange", "commercial", "demo-1")
        self.tell.say("same body", f"{again.status_code}, job {again.json()['id']}")
        self.tell.expect("it is the same job", again.json()["id"] == self.first_job)
        other = self._submit("Portrait in orange", "research", "demo-1")
        self.tell.say("other body", f"{other.status_code} {other.json()['code']}")
        self.tell.expect("another body is refused with 409", other.status_code == 409)

    def step_5_worker_killed(self) -> Callable[[], None]:
        """Kill the worker mid-job; return what starts it again and looks at how the job ended."""
        self.tell.chapter(5, "The worker is killed (SIGKILL) in the middle of a job")
        job = self._submit_and_show("Contact sheet", "commercial", "demo-killed")
        self.app.wait(job["id"], until=frozenset({"running"}))
        pid = self.stack.process("worker").pid
        self.stack.kill("worker")
        self.tell.say("killed", f"worker {pid} while the job was running")

        def recover() -> None:
            self.stack.start_process("worker")
            self.tell.say("worker", f"started again as {self.stack.process('worker').pid}")
            done = self.app.wait(job["id"])
            self.tell.say("step 5's job", f"{done['state']}: {' → '.join(event['to'] for event in done['events'])}")
            self.tell.expect("the killed job completed", done["state"] == "released")
            self.tell.expect("it took more than one lease, and one release", _released_once(done))

        return recover

    def step_6_consent_withdrawn_in_the_queue(self, recover: Callable[[], None]) -> None:
        """Withdraw a creator's consent while a job waits, then call `recover`, which starts the worker again."""
        self.tell.chapter(6, "A creator withdraws consent while the job waits in the queue")
        job = self._submit_and_show("Summer palace", "commercial", "demo-withdrawn")
        self.tell.say("job", f"{job['id']} waits: the worker of step 5 is still down")
        self._manage("consent", "withdraw", "--creator", "chiara")
        self.tell.say("creator", "chiara withdrew all consent")
        recover()
        done = self.app.wait(job["id"])
        self.tell.say("job", f"{done['state']}: {done['reason']} ({done['reason_code']})")
        self.tell.expect("the job was cancelled for that reason", _ended_as(done, "cancelled", "consent_withdrawn"))
        refused = self.app.fetch(f"/jobs/{job['id']}/output")
        self.tell.expect("nothing was released", refused.status_code == 409)

    def step_7_tampering_is_named(self) -> None:
        """Alter a stored evidence file, see `verify_evidence` name it, and put it back."""
        self.tell.chapter(7, "A stored evidence file is altered on disk")
        clean = self._verify()
        self.tell.expect(f"before: {_counted(clean)}, no fault", clean["ok"])
        path = self._worm_file(self.first_evidence_uri)
        original, mode = path.read_bytes(), path.stat().st_mode
        os.chmod(path, mode | stat.S_IWUSR)
        path.write_bytes(original.replace(b'"payload":"ey', b'"payload":"eX', 1))
        faults = self._verify()["faults"]
        for fault in faults:
            self.tell.say("fault", f"{fault['subject']}: {fault['message']}")
        self.tell.expect("verification names the file", any(path.name in json.dumps(fault) for fault in faults))
        path.write_bytes(original)
        os.chmod(path, mode)
        again = self._verify()
        self.checked = again["checked"]
        self.tell.expect("with the bytes put back, verification passes", again["ok"])

    def summary(self) -> dict[str, object]:
        """Return the figures of the run, counted by the product itself."""
        return {
            **{state: self._count(state) for state in ("released", "denied", "cancelled")},
            "ledger_entries": self.checked["ledger_entries"],
            "worm_objects": self.checked["worm_objects"],
            "psnr_gain_db": self.psnr_gain_db,
        }

    def _submit(self, title: str, purpose: str, key: str) -> requests.Response:
        self.tell.say("asked", f"upscale “{title}” for {purpose} (Idempotency-Key {key})")
        return self.app.submit(self.works[title]["id"], purpose=purpose, key=key)

    def _submit_and_show(self, title: str, purpose: str, key: str) -> Job:
        answer = self._submit(title, purpose, key)
        job: Job = answer.json()
        self.tell.expect(f"accepted: {answer.status_code}", answer.status_code == 202)
        decision = cast("Decision", self.app.get(f"/decisions/{job['decision_id']}"))
        rules = sorted(rule for each in decision["evaluations"] for rule in each["matched_rules"]["permit"])
        self.tell.say("decided", f"{decision['effect']} by {', '.join(rules)} (decision {decision['id']})")
        return job

    def _expect_denied(self, answer: requests.Response, code: str) -> None:
        problem = answer.json()
        for reason in problem.get("reasons", []):
            self.tell.say("denied", f"{reason['message']} ({reason['code']})")
        self.tell.say("decision", problem.get("decision_id"))
        codes = [reason["code"] for reason in problem.get("reasons", [])]
        self.tell.expect(f"403 with reason {code}", answer.status_code == 403 and code in codes)
        self.tell.expect("it is problem+json", answer.headers["Content-Type"] == "application/problem+json")

    def _open_jobs(self) -> int:
        return sum(self._count(state) for state in ("queued", "leased", "running", "moderating", "releasing"))

    def _count(self, state: str) -> int:
        return len(cast("JobPage", self.app.get("/jobs", state=state, page_size="100"))["results"])

    def _manage(self, *arguments: str) -> str:
        return self.stack.manage(*arguments).strip().splitlines()[-1]

    def _worm_file(self, uri: str) -> Path:
        return self.stack.data_dir / "data" / "worm" / "objects" / uri.removeprefix("worm+file:")

    def _verify(self) -> Report:
        report: Report = json.loads(self.stack.manage("verify_evidence", "--json", allowed=(0, 1)))
        return report


def _ended_as(job: Job, state: str, code: str) -> bool:
    return bool(job["state"] == state and job["reason_code"] == code)


def _released_once(job: Job) -> bool:
    states = [event["to"] for event in job["events"]]
    return states.count("leased") == 2 and states.count("released") == 1


def _counted(report: Report) -> str:
    return f"{report['checked']['ledger_entries']} ledger entries and {report['checked']['worm_objects']} WORM objects"
