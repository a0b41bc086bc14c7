"""Tables of consent levels: their versions, and proposals of new ones. Import them from `models`."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from governance.audit.guards.frozen import FrozenColumns
from governance.catalog.choices import ProposalState
from governance.catalog.proposals import Proposal, ProposalEvent
from governance.kernel import clock
from governance.kernel.ids import new_id

PAIR_CHARACTERS = 65


class ConsentLevel(models.Model):
    """A named, ranked set of uses that creators can grant: its slug, and the version of it that is in force.

    A foreign key over both columns holds that the version in force is one of this level.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(unique=True)
    in_force = models.OneToOneField("ConsentLevelVersion", on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["in_force__rank", "slug"]
        verbose_name = "consent level"

    def __str__(self) -> str:
        return self.in_force.name


class ConsentLevelVersion(FrozenColumns):
    """What a consent level says from one moment on: name, rank, and the uses that it permits.

    Immutable but for `effective`, which only ever shrinks (trigger): what grants of this version permit today, its own
    pairs without those that any later version lacks. So no grant permits more than the creator agreed to.
    """

    frozen = frozenset({"level", "number", "name", "rank", "description", "pairs", "created_at"})

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    level = models.ForeignKey(ConsentLevel, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=100)
    rank = models.PositiveSmallIntegerField(help_text="Order in lists, from least to most permissive.")
    description = models.TextField(blank=True)
    pairs = ArrayField(
        models.CharField(max_length=PAIR_CHARACTERS), default=list, help_text="What it permits, as action:purpose."
    )
    effective = ArrayField(
        models.CharField(max_length=PAIR_CHARACTERS),
        default=list,
        help_text="What grants of this version permit today: its pairs without those that a later version lacks.",
    )
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["level", "-number"]
        verbose_name = "consent level version"
        constraints = [
            models.UniqueConstraint(fields=["level", "number"], name="consent_level_version_once"),
            models.UniqueConstraint(fields=["id", "level"], name="consent_level_version_with_level"),
            models.CheckConstraint(
                condition=Q(effective__contained_by=F("pairs")), name="consent_level_effective_within_pairs"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}, version {self.number}"


class ConsentLevelProposal(Proposal):
    """A proposed version of a consent level; `level` and `base` are empty for a level that is not there yet."""

    level = models.ForeignKey(ConsentLevel, on_delete=models.PROTECT, null=True, blank=True, related_name="proposals")
    base = models.ForeignKey(
        ConsentLevelVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        help_text="The version that was in force when it was written.",
    )  # fmt: skip
    version = models.OneToOneField(
        ConsentLevelVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="proposal"
    )

    class Meta(Proposal.Meta):
        verbose_name = "consent level proposal"
        permissions = [("review_consentlevelproposal", "Can approve or reject proposals of consent levels")]
        constraints = [
            *Proposal.Meta.constraints,
            models.CheckConstraint(
                condition=Q(state=ProposalState.IN_FORCE, version__isnull=False, level__isnull=False)
                | (~Q(state=ProposalState.IN_FORCE) & Q(version__isnull=True)),
                name="consentlevelproposal_in_force_as_a_version",
            ),
            models.CheckConstraint(
                condition=Q(base__isnull=False, level__isnull=False)
                | Q(base__isnull=True, level__isnull=True)
                | Q(base__isnull=True, state=ProposalState.IN_FORCE),
                name="consentlevelproposal_starts_from_a_version",
            ),
        ]


class ConsentLevelProposalEvent(ProposalEvent):
    """A step of a proposed consent level version. Append-only by trigger."""

    proposal = models.ForeignKey(ConsentLevelProposal, on_delete=models.PROTECT, related_name="events")
