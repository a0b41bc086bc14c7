"""Tables of the console beside Django's own of users and groups."""

from django.contrib.auth.models import User
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Concat

from governance.audit.guards.frozen import FrozenColumns
from governance.console.choices import AccessKind, AccessState
from governance.kernel import clock
from governance.kernel.ids import new_id


class SessionBound(models.Model):
    """From when on the sessions of a user count: those that began earlier have ended."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="session_bound")
    since = models.DateTimeField(help_text="Sessions that began before this have ended.")

    def __str__(self) -> str:
        return f"sessions of {self.user_id} since {self.since}"


class AccessProposal(FrozenColumns):
    """More access for a user or a group, which one person proposes and another approves.

    Once it was decided on it never changes again (trigger), and the database holds that nobody approves what they
    proposed or what they would gain.
    """

    frozen = frozenset({"kind", "subject_key", "gains", "reason", "proposed_by", "proposed_at"})

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=16, choices=AccessKind.choices)
    subject_key = models.CharField(max_length=40, help_text="Key of the user or group.")
    gains = models.JSONField(help_text="What the user or group would have besides what it has.")
    reason = models.CharField(max_length=500, help_text="Why; whoever approves reads this.")
    state = models.CharField(max_length=12, choices=AccessState.choices, default=AccessState.OPEN)
    proposed_by = models.CharField(max_length=150)
    proposed_at = models.DateTimeField(default=clock.now)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-proposed_at"]
        default_permissions = ("view",)
        verbose_name = "access proposal"
        constraints = [
            models.CheckConstraint(
                condition=~Q(state=AccessState.APPROVED)
                | (Q(decided_by__startswith="user:") & ~Q(decided_by=F("proposed_by"))),
                name="accessproposal_approved_by_another",
            ),
            models.CheckConstraint(
                condition=~Q(state=AccessState.APPROVED)
                | Q(kind=AccessKind.PERMISSIONS)
                | ~Q(decided_by=Concat(Value("user:"), F("subject_key"))),
                name="accessproposal_not_approved_by_who_gains",
            ),
            models.CheckConstraint(
                condition=Q(state=AccessState.OPEN, decided_by="", decided_at__isnull=True)
                | (~Q(state=AccessState.OPEN) & ~Q(decided_by="") & Q(decided_at__isnull=False)),
                name="accessproposal_decided_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return self.reason

    @property
    def is_open(self) -> bool:
        """Whether it still waits to be decided on."""
        return self.state == AccessState.OPEN
