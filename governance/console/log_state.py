"""The state of the transparency log for the console."""

from dataclasses import dataclass

from django.conf import settings

from governance.audit.log.checkpoints import LogStatus, log_status, newest_checkpoint, published_checkpoint
from governance.audit.models import Checkpoint
from governance.console.presentation import Tone, duration

#: Normally an entry is under a checkpoint within 2 seconds; beyond this it is delayed.
LATE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class LogState:
    """The state of the log on the dashboard and the page of checkpoints."""

    status: LogStatus
    newest: Checkpoint | None
    published: Checkpoint | None
    cosigned: int
    quorum: int
    witnesses: int

    @property
    def late(self) -> bool:
        return self.status.oldest_waiting_seconds > LATE_SECONDS

    @property
    def waited(self) -> str:
        """How long the oldest entry has waited to be ordered."""
        return duration(max(self.status.oldest_waiting_seconds, 0.001))

    @property
    def tone(self) -> Tone:
        """The colour of the badge."""
        if self.status.alarm:
            return Tone.BAD
        return Tone.WARN if self.late or self.newest != self.published else Tone.GOOD

    @property
    def word(self) -> str:
        """The state in a word or two."""
        if self.status.alarm:
            return "Stopped"
        if self.newest is None:
            return "Not started"
        if self.newest != self.published:
            return "Waiting for witnesses"
        return "Running late" if self.late else "Running"


def log_state() -> LogState:
    """Return the current state of the log, with a few short queries."""
    newest = newest_checkpoint()
    return LogState(
        status=log_status(),
        newest=newest,
        published=published_checkpoint(),
        cosigned=len(known_witnesses(newest)) if newest else 0,
        quorum=settings.ASSENT_WITNESS_QUORUM,
        witnesses=len(settings.ASSENT_WITNESSES),
    )


def known_witnesses(checkpoint: Checkpoint) -> list[str]:
    """Return who cosigned a checkpoint, of the witnesses that the settings name."""
    known = {witness["name"] for witness in settings.ASSENT_WITNESSES}
    return sorted(each.witness for each in checkpoint.cosignatures.all() if each.witness in known)
