"""Tables of the model registry: licences, models, versions and aliases."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from governance.audit.guards.frozen import FrozenColumns
from governance.catalog.models import REGION, SHA256
from governance.kernel import clock
from governance.kernel.ids import new_id
from governance.kernel.vocabulary import PURPOSE_CHOICES
from governance.registry.choices import Stage
from governance.registry.ports import runtime_choices
from governance.registry.tasks import task_choices


class Licence(models.Model):
    """Who may use a model for which purposes, in which regions, until when, with which obligations."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(unique=True)
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
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(valid_until__isnull=True) | models.Q(valid_until__gt=models.F("valid_from")),
                name="licence_window_in_order",
            ),
        ]

    def __str__(self) -> str:
        return self.name


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
