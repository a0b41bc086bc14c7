"""Tables of the rulebook: ABAC rules, drafts on their way to review, policy revisions, activations and freezes."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from governance.audit.guards.frozen import FrozenColumns
from governance.kernel import clock
from governance.kernel.ids import new_id
from governance.kernel.vocabulary import ACTION_CHOICES
from governance.rulebook.choices import ActivationKind, DraftState, RuleEffect

PERSON_LENGTH = 150


class AbacRule(models.Model):
    """A rule that the governance team edits in the console. It takes effect once it is part of an active revision."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(unique=True, help_text="Stable id of the rule in decisions and reports.")
    effect = models.CharField(max_length=8, choices=RuleEffect.choices, default=RuleEffect.DENY)
    actions = ArrayField(models.CharField(max_length=32, choices=ACTION_CHOICES))
    condition = models.JSONField()
    reason_code = models.SlugField(help_text="Stable code that partners receive, such as region_blocked.")
    message = models.CharField(max_length=300, help_text="The sentence that partners read.")
    obligations = models.JSONField(default=list, blank=True)
    enabled = models.BooleanField(default=True)
    created_by = models.CharField(max_length=150, editable=False)
    updated_by = models.CharField(max_length=150, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["slug"]
        verbose_name = "ABAC rule"

    def __str__(self) -> str:
        return self.slug


class RuleEdit(models.Model):
    """Somebody wrote, changed or removed a rule, and so may not approve it. Append-only."""

    id = models.BigAutoField(primary_key=True)
    slug = models.SlugField(db_index=True)
    person = models.CharField(max_length=PERSON_LENGTH)
    edited_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.slug} by {self.person}"


class PolicyRevision(models.Model):
    """An immutable, content-addressed, signed set of rules and Rego modules. Append-only by trigger."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.PositiveIntegerField(unique=True)
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the canonical content.")
    content = models.TextField(help_text="Canonical JSON: schema digest, rules, Rego modules.")
    signature = models.TextField(help_text="DSSE envelope over the digest.")
    rule_count = models.PositiveIntegerField()
    note = models.CharField(max_length=300, blank=True)
    last_edit = models.BigIntegerField(
        default=0, help_text="The newest edit of a rule that was made before the rules were taken."
    )
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-number"]
        verbose_name = "policy revision"

    def __str__(self) -> str:
        return f"Revision {self.number}"


class PolicyActivation(models.Model):
    """An activation of a revision. The newest row names the active revision. Append-only by trigger."""

    id = models.BigAutoField(primary_key=True)
    revision = models.ForeignKey(PolicyRevision, on_delete=models.PROTECT, related_name="activations")
    kind = models.CharField(max_length=12, choices=ActivationKind.choices, default=ActivationKind.UNREVIEWED)
    replaced = models.ForeignKey(PolicyRevision, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=300, blank=True)
    activated_by = models.CharField(max_length=150)
    activated_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-id"]
        verbose_name = "policy activation"

    def __str__(self) -> str:
        return f"{self.revision} from {self.activated_at:%Y-%m-%d %H:%M:%S}"


class PolicyDraft(FrozenColumns):
    """A set of rules on its way to being the active policy. What is approved is this content and no other.

    The database holds what matters most: nobody approves what they wrote, and nothing is approved without a replay of
    exactly this content.
    """

    frozen = frozenset({"number", "created_by", "created_at"})

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.PositiveIntegerField(unique=True)
    title = models.CharField(max_length=120)
    note = models.CharField(max_length=300, blank=True, help_text="Why the rules should change.")
    state = models.CharField(max_length=12, choices=DraftState.choices, default=DraftState.DRAFT)
    content = models.TextField(help_text="Canonical JSON of the revision that this would become.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the content.")
    rule_count = models.PositiveIntegerField()
    base_digest = models.CharField(max_length=64, blank=True, help_text="The revision that decided when it was taken.")
    restores = models.ForeignKey(
        PolicyRevision,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="The earlier revision that this draft puts back; empty for a draft of the present rules.",
    )
    last_edit = models.BigIntegerField(default=0)
    authors = ArrayField(models.CharField(max_length=PERSON_LENGTH), help_text="All who wrote or edited any of it.")
    check_report = models.JSONField(default=dict, blank=True)
    replay_id = models.UUIDField(null=True, blank=True)
    replay_digest = models.CharField(max_length=64, blank=True)
    replay_base = models.CharField(max_length=64, blank=True)
    replayed_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.CharField(max_length=PERSON_LENGTH, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    revision = models.ForeignKey(PolicyRevision, on_delete=models.PROTECT, null=True, related_name="drafts")
    created_by = models.CharField(max_length=PERSON_LENGTH)
    created_at = models.DateTimeField(default=clock.now)
    updated_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-number"]
        verbose_name = "policy draft"
        permissions = [
            ("review_policydraft", "Can approve or reject policy drafts"),
            ("activate_policydraft", "Can activate approved drafts and roll back"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(authors__contains=[F("approved_by")]), name="draft_approver_is_no_author"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[DraftState.APPROVED, DraftState.ACTIVE, DraftState.SUPERSEDED])
                | (~Q(approved_by="") & Q(approved_at__isnull=False)),
                name="draft_decides_only_approved",
            ),
            models.CheckConstraint(
                condition=~Q(
                    state__in=[DraftState.IN_REVIEW, DraftState.APPROVED, DraftState.ACTIVE, DraftState.SUPERSEDED]
                )
                | Q(replay_digest=F("digest")),
                name="draft_replayed_as_it_is",
            ),
            models.UniqueConstraint(fields=["state"], condition=Q(state=DraftState.ACTIVE), name="draft_one_active"),
        ]

    def __str__(self) -> str:
        return f"Draft {self.number}: {self.title}"


class DraftEvent(models.Model):
    """One step of a draft, with the comment of whoever took it. Append-only by trigger."""

    id = models.BigAutoField(primary_key=True)
    draft = models.ForeignKey(PolicyDraft, on_delete=models.PROTECT, related_name="events")
    step = models.CharField(max_length=16)
    state = models.CharField(max_length=12, choices=DraftState.choices, help_text="The state after the step.")
    digest = models.CharField(max_length=64)
    person = models.CharField(max_length=PERSON_LENGTH)
    comment = models.CharField(max_length=1000, blank=True)
    happened_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.draft}: {self.step}"


class RevisionAnchor(models.Model):
    """Where a revision is in WORM storage. Append-only by trigger; the newest row has the longest retention."""

    id = models.BigAutoField(primary_key=True)
    revision = models.ForeignKey(PolicyRevision, on_delete=models.PROTECT, related_name="anchors")
    uri = models.CharField(max_length=500)
    version_id = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField(help_text="Bytes.")
    mode = models.CharField(max_length=32)
    retain_until = models.DateTimeField()
    stored_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.revision} at {self.uri}"


class PolicyFreeze(FrozenColumns):
    """While a freeze is active everything is denied. One person freezes; two different people lift."""

    frozen = frozenset({"reason", "frozen_by", "frozen_at"})

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    active = models.BooleanField(default=True)
    reason = models.CharField(max_length=300)
    frozen_by = models.CharField(max_length=PERSON_LENGTH)
    frozen_at = models.DateTimeField(default=clock.now)
    lift_asked_by = models.CharField(max_length=PERSON_LENGTH, blank=True)
    lift_asked_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.CharField(max_length=PERSON_LENGTH, blank=True)
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-frozen_at"]
        verbose_name = "policy freeze"
        constraints = [
            models.UniqueConstraint(fields=["active"], condition=Q(active=True), name="freeze_one_active"),
            models.CheckConstraint(
                condition=Q(active=True, lifted_by="", lifted_at__isnull=True)
                | (
                    Q(active=False, lifted_at__isnull=False, lift_asked_at__isnull=False)
                    & ~Q(lifted_by="")
                    & ~Q(lift_asked_by="")
                    & ~Q(lifted_by=F("lift_asked_by"))
                ),
                name="freeze_lifted_by_two",
            ),
        ]

    def __str__(self) -> str:
        return f"Freeze of {self.frozen_at:%Y-%m-%d %H:%M:%S}"
