"""How the transparency log is doing, in the words of the console."""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count

from governance.audit.models import Checkpoint, LogAlarm, OutboxEntry, TreeHead
from governance.console.presentation import Tone, duration
from governance.kernel import clock

#: At rest an entry is under a checkpoint within 2 seconds; from here on something holds it up.
LATE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class LogState:
    """What the dashboard and the page of checkpoints say of the log."""

    size: int
    waiting: int
    uncovered: int
    waited: str
    newest: Checkpoint | None
    cosigned: int
    published: Checkpoint | None
    quorum: int
    witnesses: int
    alarm: LogAlarm | None
    late: bool

    @property
    def tone(self) -> Tone:
        if self.alarm:
            return Tone.BAD
        return Tone.WARN if self.late or self.newest != self.published else Tone.GOOD

    @property
    def word(self) -> str:
        """The state in a word or two."""
        if self.alarm:
            return "Stopped"
        if self.newest is None:
            return "Not started"
        if self.newest != self.published:
            return "Waiting for witnesses"
        return "Running late" if self.late else "Running"


def log_state() -> LogState:
    """Return how the log is doing now; a handful of short queries."""
    newest, published = newest_checkpoint(), published_checkpoint()
    head = TreeHead.objects.order_by("-size").first()
    oldest = OutboxEntry.objects.order_by("occurred_at").first()
    waited = (clock.now() - oldest.occurred_at).total_seconds() if oldest else 0.0
    size = head.size if head else 0
    return LogState(
        size=size,
        waiting=OutboxEntry.objects.count(),
        uncovered=size - (published.size if published else 0),
        waited=duration(waited) if oldest else "",
        newest=newest,
        cosigned=newest.cosignatures.count() if newest else 0,
        published=published,
        quorum=settings.ASSENT_WITNESS_QUORUM,
        witnesses=len(settings.ASSENT_WITNESSES),
        alarm=open_alarm(),
        late=waited > LATE_SECONDS,
    )


def open_alarm() -> LogAlarm | None:
    """Return the oldest alarm that nobody resolved."""
    return LogAlarm.objects.filter(resolved_at=None).order_by("raised_at").first()


def newest_checkpoint() -> Checkpoint | None:
    """Return the newest checkpoint of this log, cosigned or not."""
    return Checkpoint.objects.filter(origin=settings.ASSENT_LOG_ORIGIN).order_by("-number").first()


def published_checkpoint() -> Checkpoint | None:
    """Return the newest checkpoint that enough witnesses cosigned."""
    found = Checkpoint.objects.filter(origin=settings.ASSENT_LOG_ORIGIN).annotate(cosigned=Count("cosignatures"))
    return found.filter(cosigned__gte=settings.ASSENT_WITNESS_QUORUM).order_by("-number").first()


def signed_note_of(checkpoint: Checkpoint) -> str:
    """Return a checkpoint's note with the lines of the witnesses below that of the log."""
    return checkpoint.note + "".join(each.line for each in checkpoint.cosignatures.all())
