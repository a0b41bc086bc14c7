"""Tables of the catalogue: creators, consent levels, consent grants, datasets and assets."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models

from governance.audit.guards.frozen import FrozenColumns
from governance.catalog.choices import (
    AssetStatus,
    CreatorStatus,
    GrantKind,
    GrantMethod,
    ReviewCause,
    ReviewDecision,
)
from governance.catalog.level_models import ConsentLevel as ConsentLevel
from governance.catalog.level_models import ConsentLevelProposal as ConsentLevelProposal
from governance.catalog.level_models import ConsentLevelProposalEvent as ConsentLevelProposalEvent
from governance.catalog.level_models import ConsentLevelVersion as ConsentLevelVersion
from governance.kernel import clock
from governance.kernel.ids import new_id

REGION = RegexValidator(r"^[A-Z]{2}$", "A region is two capital letters, such as DE, US or EU.")
ERASED_NAME = "Erased creator"
ERASED_TITLE = "Erased work"
SHA256 = RegexValidator(r"^[0-9a-f]{64}$", "A SHA-256 digest is 64 lower-case hexadecimal digits.")


class Creator(models.Model):
    """A person whose works are in the catalogue. The slug identifies nobody, so policies and the ledger use it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(unique=True, help_text="Stable name used in policies and the ledger; not a real name.")
    display_name = models.CharField(max_length=200)
    email = models.EmailField(blank=True, help_text="Personal data: never leaves this row.")
    region = models.CharField(max_length=2, validators=[REGION], help_text="Two capital letters, such as DE or US.")
    status = models.CharField(max_length=16, choices=CreatorStatus.choices, default=CreatorStatus.ACTIVE)
    status_reason = models.CharField(
        max_length=300, blank=True, editable=False, help_text="Why the creator was suspended or reinstated last."
    )
    uploaders = ArrayField(
        models.SlugField(),
        default=list,
        blank=True,
        help_text="Partners, by slug, that may register works on this creator's behalf.",
    )
    consent_epoch = models.PositiveBigIntegerField(
        default=0, editable=False, help_text="Goes up by one with every change of consent; permits are bound to it."
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    erased_at = models.DateTimeField(
        null=True, editable=False, help_text="When the personal data was deleted; from then on nothing is added."
    )

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(condition=models.Q(region__regex=r"^[A-Z]{2}$"), name="creator_region_two_letters"),
            models.CheckConstraint(
                condition=models.Q(erased_at__isnull=True)
                | models.Q(
                    display_name=ERASED_NAME, email="", status=CreatorStatus.SUSPENDED, status_reason="", uploaders=[]
                ),
                name="creator_erased_has_no_name",
            ),
        ]

    def __str__(self) -> str:
        return self.display_name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save everything except the consent epoch, which only services raise: an outdated form must not undo it."""
        if not self._state.adding and kwargs.get("update_fields") is None:
            kept_out = {"id", "consent_epoch"}
            kwargs["update_fields"] = [f.name for f in self._meta.concrete_fields if f.name not in kept_out]
        super().save(*args, **kwargs)


class Dataset(models.Model):
    """A named collection of assets that tokens can be limited to."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class Asset(FrozenColumns):
    """A creator's work. The bytes are in object storage under their digest and never change.

    A trigger freezes what was read from the file, `width` and `height` included, once `metadata_kinds` is known.
    """

    frozen = frozenset({"creator", "sha256", "size", "object_name", "media_type"})

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    creator = models.ForeignKey(Creator, on_delete=models.PROTECT, related_name="assets")
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, null=True, blank=True, related_name="assets")
    title = models.CharField(max_length=200)
    media_type = models.CharField(max_length=100)
    size = models.BigIntegerField(help_text="Bytes.")
    sha256 = models.CharField(max_length=64, validators=[SHA256])
    object_name = models.CharField(max_length=200)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    left_out = models.JSONField(
        default=list, blank=True, help_text="What the file holds behind its picture: kinds and their bytes."
    )
    metadata_kinds = ArrayField(
        models.CharField(max_length=32),
        null=True,
        blank=True,
        help_text="Kinds of metadata in the file. Empty until it was read as it is since version 0.3.",
    )
    tags = ArrayField(models.CharField(max_length=50), default=list, blank=True)
    status = models.CharField(max_length=16, choices=AssetStatus.choices, default=AssetStatus.ACTIVE)
    status_reason = models.CharField(
        max_length=300, blank=True, editable=False, help_text="Why the work was put into quarantine or taken out last."
    )
    uploaded_by_type = models.CharField(max_length=32)
    uploaded_by_id = models.CharField(max_length=128)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["uploaded_by_type", "uploaded_by_id", "-id"], name="asset_by_uploader"),
            models.Index(fields=["sha256"], name="asset_by_digest"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(size__gt=0, width__gt=0, height__gt=0), name="asset_sizes_positive"
            ),
            models.UniqueConstraint(fields=["id", "creator"], name="asset_with_creator"),
        ]

    def __str__(self) -> str:
        return self.title


class UploadReview(FrozenColumns):
    """An upload that waits for a person, and what the person decided."""

    frozen = frozenset({"id", "asset", "cause", "opened_at"})

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    asset = models.OneToOneField(Asset, on_delete=models.PROTECT, related_name="review")
    cause = models.CharField(max_length=16, choices=ReviewCause.choices)
    decision = models.CharField(max_length=16, choices=ReviewDecision.choices, blank=True)
    displaced = ArrayField(
        models.UUIDField(), default=list, blank=True, help_text="Works that the decision put into quarantine."
    )
    opened_at = models.DateTimeField(default=clock.now, editable=False)
    decided_by = models.CharField(max_length=161, blank=True, help_text="Such as user:7.")
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "claim"
        ordering = [models.F("decided_at").desc(nulls_first=True), "-opened_at"]
        permissions = [("decide_uploadreview", "Can decide on claims")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(decision="", decided_at=None)
                | (~models.Q(decision="") & ~models.Q(decided_at=None)),
                name="upload_review_decided_at_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(displaced=[]) | models.Q(decision=ReviewDecision.MOVED),
                name="upload_review_displaces_when_moved",
            ),
        ]

    def __str__(self) -> str:
        return f"Claim on {self.asset}"


class ConsentGrant(models.Model):
    """One statement of a creator about one asset, or about all that have no statement of their own.

    Append-only by trigger: consent changes by a later statement, never by an edit. Foreign keys over both columns hold
    that `asset` is of `creator` and `level_version` of `level`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=16, choices=GrantKind.choices)
    creator = models.ForeignKey(Creator, on_delete=models.PROTECT, related_name="consent_grants")
    asset = models.ForeignKey(
        Asset, on_delete=models.PROTECT, null=True, blank=True, related_name="consent_grants",
        help_text="Empty: the creator's default.",
    )  # fmt: skip
    level = models.ForeignKey(ConsentLevel, on_delete=models.PROTECT, null=True, blank=True, related_name="grants")
    level_version = models.ForeignKey(
        ConsentLevelVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="grants",
        help_text="The version that the creator agreed to.",
    )  # fmt: skip
    regions = ArrayField(models.CharField(max_length=2, validators=[REGION]), default=list, blank=True)
    partners_allowed = ArrayField(models.SlugField(), default=list, blank=True)
    partners_excluded = ArrayField(models.SlugField(), default=list, blank=True)
    valid_from = models.DateTimeField(default=clock.now)
    valid_until = models.DateTimeField(null=True, blank=True)
    method = models.CharField(max_length=32, choices=GrantMethod.choices)
    evidence_digest = models.CharField(
        max_length=64, blank=True, validators=[SHA256], help_text="SHA-256 of the document that proves it."
    )
    epoch = models.PositiveBigIntegerField(help_text="The creator's consent epoch that this statement began.")
    recorded_by_type = models.CharField(max_length=32)
    recorded_by_id = models.CharField(max_length=128)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["-epoch"]
        verbose_name = "consent statement"
        constraints = [
            models.UniqueConstraint(
                fields=["creator", "epoch", "asset"], nulls_distinct=False, name="consent_statement_once_per_epoch"
            ),
            models.CheckConstraint(
                condition=models.Q(kind=GrantKind.GRANT, level__isnull=False, level_version__isnull=False)
                | models.Q(kind=GrantKind.WITHDRAWAL, level__isnull=True, level_version__isnull=True),
                name="consent_grant_names_a_level",
            ),
            models.CheckConstraint(
                condition=models.Q(valid_until__isnull=True) | models.Q(valid_until__gt=models.F("valid_from")),
                name="consent_window_in_order",
            ),
        ]
        indexes = [
            models.Index(fields=["asset", "-epoch"], name="consent_by_asset"),
            models.Index(fields=["creator", "-epoch"], name="consent_by_creator"),
            models.Index(fields=["creator", "-epoch"], condition=models.Q(asset=None), name="consent_default"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.level or ''} by {self.creator}"
