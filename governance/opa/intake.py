"""Takes the decision logs of OPA servers. Each event is judged by itself, and what is refused is counted.

An OPA server sends an upload again, forever, until it is answered with 200, and nothing else meanwhile. So an upload
that was judged is acknowledged, whatever became of its events; only one that never arrived whole is not.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from django.conf import settings
from django.db import DataError, transaction
from django.db.models import F

from governance.kernel import clock
from governance.opa.choices import Refusal
from governance.opa.events import EventRefused, LogEvent, read_event
from governance.opa.marks import number_of
from governance.opa.models import OpaDecisionLog, OpaRefusal, OpaServer
from governance.opa.services import note_contact
from governance.partners.models import ApiClient, Partner

#: How many refused events are named in the answer.
EXAMPLES = 10
OTHER = "other"
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class RefusedEvent:
    """One event that was not taken: its place in the upload, from 0, and why. It quotes nothing of the event."""

    index: int
    reason: str
    detail: str


@dataclass(slots=True)
class Intake:
    """What became of the events of one upload. `known` are those that were stored before; `refused` is by reason."""

    received: int = 0
    new: int = 0
    known: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    examples: list[RefusedEvent] = field(default_factory=list)

    def refuse(self, index: int, error: EventRefused, *, count: int = 1) -> None:
        """Count events that are not taken, of which the first is at `index`."""
        self.refused[error.reason.value] = self.refused.get(error.reason.value, 0) + count
        if len(self.examples) < EXAMPLES:
            self.examples.append(RefusedEvent(index, error.reason.value, error.detail))


@transaction.atomic
def store_logs(*, server: OpaServer, events: Sequence[object], cut: bool = False) -> Intake:
    """Store a server's decision log events, each decision id once, and return what became of each.

    `events` are as `read_json_items` returns them; `cut` says that more followed, past the limit of an upload. When
    this returns, and its transaction is committed, all that are not refused are stored.
    """
    intake = Intake(received=len(events))
    judged = _judged(events[: settings.ASSENT_OPA_BATCH_EVENTS], intake)
    while part := list(islice(judged, _AT_ONCE)):
        _store(server, part, intake)
    beyond = len(events) - settings.ASSENT_OPA_BATCH_EVENTS
    if beyond > 0 or cut:
        error = EventRefused(Refusal.PAST_LIMIT, "it lies past the limit of one upload")
        intake.refuse(len(events) - max(beyond, 0), error, count=max(beyond, 1))
    _count(server, intake.refused, {each.reason: each.detail for each in intake.examples})
    note_contact(server)
    return intake


@transaction.atomic
def note_refused_upload(*, server: OpaServer, detail: str) -> None:
    """Count an upload of which nothing could be read."""
    _count(server, {Refusal.UPLOAD.value: 1}, {Refusal.UPLOAD.value: detail})
    note_contact(server)


def _judged(events: Iterable[object], intake: Intake) -> Iterator[tuple[int, LogEvent]]:
    for index, item in enumerate(events):
        try:
            yield index, read_event(item)
        except EventRefused as error:
            intake.refuse(index, error)


def _store(server: OpaServer, judged: list[tuple[int, LogEvent]], intake: Intake) -> None:
    """Store some events, all at once; if the database refuses one of them, only that one is left out."""
    by_id = {event.decision_id: (index, event) for index, event in reversed(judged)}
    known = set(
        OpaDecisionLog.objects.filter(server=server, decision_id__in=by_id).values_list("decision_id", flat=True)
    )
    fresh = [pair for decision_id, pair in by_id.items() if decision_id not in known]
    intake.known += len(judged) - len(fresh)
    names = _names_of_ours(fresh)
    _insert(server, sorted(fresh, key=lambda pair: pair[0]), names, intake)


def _insert(server: OpaServer, fresh: list[tuple[int, LogEvent]], names: dict[str, str], intake: Intake) -> None:
    try:
        with transaction.atomic():
            # The same upload may be in progress twice: the database decides which one comes first.
            OpaDecisionLog.objects.bulk_create(
                [_row(server, event, names) for _, event in fresh], ignore_conflicts=True
            )
        intake.new += len(fresh)
    except DataError:
        if len(fresh) == 1:
            intake.refuse(fresh[0][0], EventRefused(Refusal.UNSTORABLE, "the database refused a value"))
            return
        for half in (fresh[: len(fresh) // 2], fresh[len(fresh) // 2 :]):
            _insert(server, half, names, intake)


def _row(server: OpaServer, event: LogEvent, names: dict[str, str]) -> OpaDecisionLog:
    named = next((names[each] for each in event.subjects if each in names), OTHER if event.subjects else "")
    return OpaDecisionLog(
        server=server,
        decision_id=event.decision_id,
        path=event.path,
        revision=event.revision,
        facts_sha256=event.facts_sha256,
        question=number_of(event.mark, facts_sha256=event.facts_sha256),
        subject=named,
        answers=event.answers,
        event=event.event,
        decided_at=event.decided_at,
        received_at=clock.now(),
    )


def _names_of_ours(fresh: list[tuple[int, LogEvent]]) -> dict[str, str]:
    """Return what the events' inputs name that is ours: anything else may be a person and is not kept."""
    named = {subject for _, event in fresh for subject in event.subjects}
    if not named:
        return {}
    clients = ApiClient.objects.filter(client_id__in=named).values_list("client_id", flat=True)
    partners = Partner.objects.filter(slug__in=named).values_list("slug", flat=True)
    return {slug: f"partner {slug}" for slug in partners} | {each: f"client {each}" for each in clients}


def _count(server: OpaServer, refused: dict[str, int], details: dict[str, str]) -> None:
    now = clock.now()
    for reason, count in sorted(refused.items()):
        row, _ = OpaRefusal.objects.get_or_create(server=server, day=now.date(), reason=reason)
        OpaRefusal.objects.filter(pk=row.pk).update(
            count=F("count") + count, detail=details.get(reason, row.detail)[:200], last_at=now
        )
