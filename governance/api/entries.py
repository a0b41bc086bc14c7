"""Kinds of ledger entries of the API itself: what it answered without changing anything."""

from typing import Annotated

from governance.audit.recording.declarations import Entry, entry


@entry("access.evaluated", subject="evaluation", unmatched="An answer of the Authorization API is kept nowhere else.")
class AccessEvaluated(Entry):
    """A client asked the Authorization API (AuthZEN) whether something is permitted, and got an answer."""

    about: Annotated[str, "Id of the subject that was asked about."]
    action: Annotated[str, "Name of the action, such as `asset.infer`."]
    resource: Annotated[dict[str, str], "Type and id of the resource."]
    effect: Annotated[str, "`permit` or `deny`."]
    reason_codes: Annotated[tuple[str, ...], "Codes of the reasons, each once, in the order of the answer."]
    facts_sha256: Annotated[str, "SHA-256 of the facts of every question as canonical JSON."]
    revision: Annotated[str, "Digest of the policy revision; empty if none was active."]
    engine: Annotated[str, "Name of the engine that answered; `none` if none did."]
    request_id: Annotated[str, "Id of the request, which the client got back."]
