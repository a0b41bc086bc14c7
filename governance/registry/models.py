"""Tables of the model registry: licences, models, versions and aliases."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from governance.audit.guards.frozen import FrozenColumns
from governance.catalog.choices import ProposalState
from governance.catalog.models import REGION, SHA256
from governance.catalog.proposals import Proposal, ProposalEvent
from governance.kernel import clock
from governance.kernel.ids import new_id
from governance.kernel.vocabulary import PURPOSE_CHOICES
from governance.registry.choices import Stage
from governance.registry.ports import runtime_choices
from governance.registry.tasks import task_choices


class LicenceTerms(models.Model):
    """Who may use a model for which purposes, in which regions, until when, with which obligations."""

    name = models.CharField(max_length=200)
    purposes = ArrayField(models.CharField(max_length=32, choices=PURPOSE_CHOICES), default=list)
    regions = ArrayField(
        models.CharField(max_length=2, validators=[REGION]), default=list, blank=True, help_text="Empty: everywhere."
    )
    partners = ArrayField(models.SlugField(), default=list, blank=True, help_text="Empty: every partner.")
    valid_from = models.DateTimeField(default=clock.now)
    valid_until = models.DateTimeField(null=True, blank=True)
    obligations = models.JSONField(default=list, blank=True, help_text='A list such as [{"kind": "attribution", …}].')
    terms_url = models.URLField(blank=True)

    class Meta:
        abstract = True


class Licence(LicenceTerms):
    """A licence: its slug, the version that is in force, and a copy of that version's terms for queries.

    PostgreSQL holds that the copy says what the version says, and that the version is one of this licence.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(unique=True)
    in_force = models.OneToOneField("LicenceVersion", on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(valid_until__isnull=True) | models.Q(valid_until__gt=models.F("valid_from")),
                name="licence_window_in_order",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class LicenceVersion(LicenceTerms):
    """What a licence says from one moment on. Append-only by trigger."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    licence = models.ForeignKey(Licence, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["licence_id", "-number"]
        verbose_name = "licence version"
        constraints = [
            models.UniqueConstraint(fields=["licence", "number"], name="licence_version_once"),
            models.UniqueConstraint(fields=["id", "licence"], name="licence_version_with_licence"),
            models.CheckConstraint(
                condition=models.Q(valid_until__isnull=True) | models.Q(valid_until__gt=models.F("valid_from")),
                name="licence_version_window_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}, version {self.number}"


class LicenceProposal(Proposal):
    """A proposed version of a licence; `licence` and `base` are empty for a licence that is not there yet."""

    licence = models.ForeignKey(Licence, on_delete=models.PROTECT, null=True, blank=True, related_name="proposals")
    base = models.ForeignKey(
        LicenceVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        help_text="The version that was in force when it was written.",
    )  # fmt: skip
    version = models.OneToOneField(
        LicenceVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="proposal"
    )

    class Meta(Proposal.Meta):
        verbose_name = "licence proposal"
        permissions = [("review_licenceproposal", "Can approve or reject proposals of licences")]
        constraints = [
            *Proposal.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(state=ProposalState.IN_FORCE, version__isnull=False, licence__isnull=False)
                | (~models.Q(state=ProposalState.IN_FORCE) & models.Q(version__isnull=True)),
                name="licenceproposal_in_force_as_a_version",
            ),
        ]


class LicenceProposalEvent(ProposalEvent):
    """A step of a proposed licence version. Append-only by trigger."""

    proposal = models.ForeignKey(LicenceProposal, on_delete=models.PROTECT, related_name="events")


class Model(models.Model):
    """A generative model that the marketplace offers, under one licence."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    task = models.CharField(max_length=32, choices=task_choices)
    owner = models.SlugField(help_text="Slug of the owner. Policies may name it.")
    licence = models.ForeignKey(Licence, on_delete=models.PROTECT, related_name="models")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class ModelLicenceProposal(Proposal):
    """A proposed move of a model to another licence, from one version in force to another."""

    frozen = Proposal.frozen | {"model"}

    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="licence_proposals")
    base = models.ForeignKey(
        LicenceVersion, on_delete=models.PROTECT, related_name="+",
        help_text="The version that the model ran under when it was written.",
    )  # fmt: skip
    wanted = models.ForeignKey(
        LicenceVersion, on_delete=models.PROTECT, related_name="+",
        help_text="The version of the other licence that was in force when it was written.",
    )  # fmt: skip

    class Meta(Proposal.Meta):
        verbose_name = "move to another licence"
        verbose_name_plural = "moves to other licences"
        permissions = [("review_modellicenceproposal", "Can approve or reject moves of models to other licences")]

    @property
    def version(self) -> LicenceVersion | None:
        """The version that the model was put under by it."""
        return self.wanted if self.state == ProposalState.IN_FORCE else None


class ModelLicenceProposalEvent(ProposalEvent):
    """A step of a proposed move of a model. Append-only by trigger."""

    proposal = models.ForeignKey(ModelLicenceProposal, on_delete=models.PROTECT, related_name="events")


class ModelVersion(FrozenColumns):
    """One immutable artifact of a model. Only the stage may change (trigger)."""

    frozen = frozenset(
        {
            "model",
            "version",
            "runtime",
            "config",
            "artifact_object",
            "artifact_sha256",
            "artifact_size",
        }
    )

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="versions")
    version = models.CharField(max_length=50)
    runtime = models.CharField(max_length=32, choices=runtime_choices)
    config = models.JSONField(default=dict, blank=True)
    artifact_object = models.CharField(max_length=200)
    artifact_sha256 = models.CharField(max_length=64, validators=[SHA256])
    artifact_size = models.BigIntegerField(help_text="Bytes.")
    stage = models.CharField(max_length=16, choices=Stage.choices, default=Stage.STAGING)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["model__slug", "-created_at"]
        verbose_name = "model version"
        constraints = [
            models.UniqueConstraint(fields=["model", "version"], name="model_version_once"),
            models.UniqueConstraint(fields=["id", "model"], name="model_version_with_model"),
            models.CheckConstraint(condition=models.Q(artifact_size__gt=0), name="model_version_size_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.model.slug} {self.version}"


class ModelAlias(models.Model):
    """A movable name for a version of a model, such as `production`.

    A foreign key over both columns ensures that `version` belongs to `model`.
    """

    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="aliases")
    name = models.SlugField()
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="aliases")

    class Meta:
        ordering = ["name"]
        verbose_name = "model alias"
        verbose_name_plural = "model aliases"
        constraints = [models.UniqueConstraint(fields=["model", "name"], name="model_alias_once")]

    def __str__(self) -> str:
        return f"{self.model.slug}@{self.name}"
