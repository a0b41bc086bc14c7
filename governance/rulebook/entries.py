"""Kinds of ledger entries of the rulebook: rules, revisions, drafts and freezes."""

from typing import Annotated

from governance.audit.recording.declarations import Entry, entry


@entry("revision.activated", subject="revision", receipt="policy-activation/v1")
class RevisionActivated(Entry):
    """A policy revision became the one that decides."""

    number: Annotated[int, "Number of the revision."]
    digest: Annotated[str, "SHA-256 of its content, which is its name."]
    rules: Annotated[int, "How many rules it has."]
    kind: Annotated[str, "How it came into force: reviewed, unreviewed or as a rollback."]
    replaced: Annotated[str, "Digest of the revision before; empty for the first one."]
