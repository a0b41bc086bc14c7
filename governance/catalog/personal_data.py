"""The personal data of creators: in the ledger only as commitments, and deleted for good on demand.

Personal data are a creator's name and address, the titles of works, which may contain names, and the reasons for a
status. The slug never is, by definition. The bytes and digests of works are the subject of receipts, and stay.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from django.db import transaction

from governance.audit.evidence.commitments import commit, forget, open_commitment
from governance.audit.queries import timeline
from governance.audit.recording.record import record
from governance.audit.types import Actor, SubjectRef, TimelineItem
from governance.catalog.choices import CreatorStatus
from governance.catalog.entries import AssetRedacted, CreatorCommitted, creator_ref
from governance.catalog.errors import CreatorErased
from governance.catalog.models import ERASED_NAME, ERASED_TITLE, Asset, Creator
from governance.catalog.states import ASSET_PERSONAL, ASSETS, CREATOR_PERSONAL, CREATORS
from governance.kernel import clock


@dataclass(frozen=True, slots=True)
class Erasure:
    """How much was deleted: values of the creator, titles of works, and salts of commitments."""

    values: int
    titles: int
    salts: int


def commit_personal_data(*, creator: Creator, actor: Actor, fields: Collection[str] = CREATOR_PERSONAL) -> None:
    """Record commitments to the current values of the given personal fields in the ledger.

    With value and salt the creator can later show that the entry is about them; the entry alone reveals nothing. Empty
    values have no commitment.
    """
    values = {name: getattr(creator, name) for name in CREATOR_PERSONAL if name in fields}
    with transaction.atomic():
        about = creator_ref(creator)
        commitments = {name: commit(subject=about, name=name, value=value) for name, value in values.items() if value}
        if commitments:
            record(CreatorCommitted(commitments=commitments), subject=about, actor=actor)


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What opens one commitment of the ledger; `value` is None if the value has changed since.

    `subject` is the creator or the work that the entry is about, as type:id.
    """

    subject: str
    entry_id: str
    index: int | None
    name: str
    commitment: str
    salt: str | None
    value: str | None


def disclosures(*, creator: Creator) -> list[Disclosure]:
    """Return all that a creator needs to prove which ledger entries are about them; nothing after an erasure.

    Those of the creator come first, then those of each work. A value that has changed since is left out, because it is
    no longer stored.
    """
    works = Asset.objects.filter(creator=creator).order_by("pk")
    return [
        *_disclosures(CREATORS.ref(creator), creator, _committed),
        *(each for work in works for each in _disclosures(ASSETS.ref(work), work, _newly_in_state)),
    ]


def _disclosures(
    about: SubjectRef, row: Creator | Asset, commitments_in: Callable[[TimelineItem], Mapping[str, str]]
) -> Iterator[Disclosure]:
    for item in timeline(about):
        for name, commitment in commitments_in(item).items():
            value = str(getattr(row, name))
            salt = open_commitment(subject=about, name=name, value=value, commitment=commitment)
            opened = value if salt else None
            yield Disclosure(str(about), item.entry_id, item.index, name, commitment, salt, opened)


def _committed(item: TimelineItem) -> Mapping[str, str]:
    """Return the commitments of an entry of a creator, by name; states repeat them."""
    found = item.data.get("commitments") if item.kind == CreatorCommitted.declaration.kind else None
    return {name: str(each) for name, each in found.items()} if isinstance(found, dict) else {}


def _newly_in_state(item: TimelineItem) -> Mapping[str, str]:
    """Return the commitments that the state of a work has since this entry, by name."""
    before, after = item.data.get("before"), item.data.get("after")
    old, new = (state if isinstance(state, dict) else {} for state in (before, after))
    changed = {name: new.get(name) for name in ASSET_PERSONAL if new.get(name) != old.get(name)}
    return {name: str(value["commitment"]) for name, value in changed.items() if isinstance(value, dict)}


def erase_personal_data(*, creator: Creator, actor: Actor) -> Erasure:
    """Delete a creator's personal values, the titles of their works and the salts of all commitments to them.

    Suspends the creator and removes all authorised uploaders. The row stays, without a name, since grants and works
    refer to it. Part of `workflows.erase_creator`, which withdraws consent and records the erasure; raises
    CreatorErased for a creator erased before.
    """
    with transaction.atomic():
        current = Creator.objects.select_for_update().get(pk=creator.pk)
        if current.erased_at is not None:
            raise CreatorErased("This creator's personal data was erased before.")
        values = sum(bool(getattr(current, name)) for name in CREATOR_PERSONAL)
        current.display_name, current.email, current.status_reason, current.uploaders = ERASED_NAME, "", "", []
        current.status, current.erased_at = CreatorStatus.SUSPENDED, clock.now()
        current.save(update_fields=["display_name", "email", "status_reason", "uploaders", "status", "erased_at"])
        titles, salts = _redact_works(current, actor)
        return Erasure(values=values, titles=titles, salts=salts + forget(creator_ref(current)))


def _redact_works(creator: Creator, actor: Actor) -> tuple[int, int]:
    """Delete titles, reasons and salts of all works of a creator; return how many titles and salts there were.

    Works whose state has commitments leave an entry each, since their state from now on has none.
    """
    works = ASSETS.rows().filter(creator=creator).select_for_update(of=("self",), no_key=True).order_by("pk")
    states = {ASSETS.ref(work): ASSETS.state(work) for work in works}
    titles = Asset.objects.filter(creator=creator).update(title=ERASED_TITLE, status_reason="")
    for subject, before in states.items():
        if any(before[name] for name in ASSET_PERSONAL):
            after = before | dict.fromkeys(ASSET_PERSONAL)
            record(AssetRedacted(before=before, after=after), subject=subject, actor=actor)
    return titles, forget(*states)
