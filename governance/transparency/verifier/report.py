"""A verdict as text for people and as JSON for programs."""

from governance.transparency.verifier.verdict import Outcome, Status, Step, Verdict

_MARKS = {Outcome.OK: "ok", Outcome.FAILED: "FAILED", Outcome.SKIPPED: "-"}
_HEADLINES = {
    Status.VALID: "VALID",
    Status.INVALID: "INVALID: do not rely on this receipt.",
    Status.UNUSABLE: "UNUSABLE: nothing was shown, neither for nor against.",
}
_NO_PROOF = "The receipt is signed, but its proof is still to come. Fetch it again after the time in 'included_by'."


def as_text(verdict: Verdict) -> str:
    """Return one line for each step, then what follows from them."""
    lines = [f"{step.name:<11} {_MARKS[step.outcome]:<7} {_plain(step.detail)}" for step in verdict.steps]
    return "\n".join([*lines, "", *_conclusion(verdict)]) + "\n"


def as_json(verdict: Verdict) -> dict[str, object]:
    """Return the verdict as JSON values."""
    return {
        "status": verdict.status.value,
        "steps": [_step(step) for step in verdict.steps],
        "established": list(verdict.established),
    }


def _conclusion(verdict: Verdict) -> list[str]:
    headline = _HEADLINES[verdict.status]
    if verdict.failed:
        return [headline, f"  {verdict.failed.name}: {_plain(verdict.failed.detail)}"]
    if verdict.status is Status.UNUSABLE:
        return [headline, f"  {_NO_PROOF}"]
    return [headline, *(f"  {_plain(sentence)}" for sentence in verdict.established)]


def _step(step: Step) -> dict[str, str]:
    return {"name": step.name, "outcome": step.outcome.value, "detail": step.detail}


def _plain(text: str) -> str:
    """Return text in plain ASCII, which cannot move the cursor or pass for another: a receipt may come from anybody."""
    return "".join(sign if sign.isascii() and sign.isprintable() else f"\\u{ord(sign):04x}" for sign in text)
