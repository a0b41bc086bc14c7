"""Tables of the partners area: tiers, partners, API clients, their access tokens and their roles."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from oauth2_provider.models import AbstractAccessToken, AbstractApplication

from governance.kernel import clock
from governance.kernel.ids import new_id
from governance.kernel.vocabulary import ACTION_CHOICES, PURPOSE_CHOICES, TOKEN_ACTION_CHOICES
from governance.partners.choices import KeyAlgorithm, PartnerStatus
from governance.partners.errors import ClientIsDisabled, PartnerSuspended, TokenExpired, TokenInvalid, TokenRevoked


class Tier(models.Model):
    """What a class of partners may consume. Policies may name it.

    Limits of images that are empty are those of the settings; none allows more than the settings do.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=100)
    requests_per_minute = models.PositiveIntegerField(default=600)
    max_open_jobs = models.PositiveIntegerField(default=100, help_text="Jobs queued or running at the same time.")
    max_image_pixels = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(64)])
    max_image_edge = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(8)])
    max_image_ratio = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    max_image_parts = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(3)])

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class Partner(models.Model):  # type: ignore[django-manager-missing]
    """A company or institution whose apps call the API."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(unique=True, help_text="Stable name used in policies, licences and consent.")
    name = models.CharField(max_length=200)
    tier = models.ForeignKey(Tier, on_delete=models.PROTECT, related_name="partners")
    region = models.CharField(max_length=2, help_text="Two capital letters, such as DE or US.")
    status = models.CharField(max_length=16, choices=PartnerStatus.choices, default=PartnerStatus.ACTIVE)
    tokens_valid_after = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Tokens issued before this moment are refused."
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(condition=models.Q(region__regex=r"^[A-Z]{2}$"), name="partner_region_two_letters"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, **options: Any) -> None:
        """Save a new partner, or the columns of an existing one that `update_fields` names.

        This way an outdated copy never overwrites a later change of status, tier or `tokens_valid_after`. Raises
        ValueError if no columns are named.
        """
        if not self._state.adding and options.get("update_fields") is None:
            raise ValueError("Name the columns of a partner that change, in update_fields.")
        super().save(**options)


class ApiClient(AbstractApplication):  # type: ignore[misc]
    """An OAuth2 client (RFC 6749 section 2) of a partner, with the most that its tokens may ever cover."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="clients")
    actions = ArrayField(models.CharField(max_length=32, choices=TOKEN_ACTION_CHOICES), default=list)
    purposes = ArrayField(models.CharField(max_length=32, choices=PURPOSE_CHOICES), default=list)
    model_slugs = ArrayField(models.SlugField(), default=list, blank=True, help_text="Empty: every model.")
    dataset_slugs = ArrayField(models.SlugField(), default=list, blank=True, help_text="Empty: every dataset.")
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="To the minute.")
    secret_set_at = models.DateTimeField(null=True, blank=True, editable=False)
    earlier_secret = models.CharField(max_length=255, blank=True, editable=False, help_text="Hashed.")
    earlier_secret_until = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Until when the secret before the newest one is good."
    )

    objects: ClassVar[models.Manager["ApiClient"]] = models.Manager()

    class Meta(AbstractApplication.Meta):  # type: ignore[misc]
        verbose_name = "API client"
        ordering = ["name"]

    def __str__(self) -> str:
        return str(self.name)

    def is_usable(self, request: Any) -> bool:
        """Return whether the client may get tokens now: not while it is disabled or its partner suspended."""
        return self.disabled_at is None and str(self.partner.status) == PartnerStatus.ACTIVE


class ClientKey(models.Model):
    """A public key that a client authenticates with instead of a secret (RFC 7523)."""

    id = models.BigAutoField(primary_key=True)
    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="keys")
    kid = models.CharField(max_length=128, help_text="What assertions call the key (RFC 7515 section 4.1.4).")
    algorithm = models.CharField(max_length=8, choices=KeyAlgorithm.choices)
    jwk = models.JSONField(help_text="The public key (RFC 7517).")
    thumbprint = models.CharField(max_length=43, help_text="SHA-256 of the key (RFC 7638).")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = "client key"
        ordering = ["client", "kid"]
        constraints = [
            models.UniqueConstraint(fields=["client", "kid"], name="client_key_once_by_kid"),
            models.UniqueConstraint(fields=["client", "thumbprint"], name="client_key_once"),
        ]

    def __str__(self) -> str:
        return self.kid


class UsedAssertion(models.Model):
    """An assertion that a client authenticated with; none is taken twice (RFC 7523 section 3, number 7)."""

    id = models.BigAutoField(primary_key=True)
    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="+")
    jti_sha256 = models.CharField(max_length=64)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "jti_sha256"], name="assertion_used_once")]

    def __str__(self) -> str:
        return self.jti_sha256


class UsedFormKey(models.Model):
    """A form of the console that was sent; none does its work twice."""

    key = models.UUIDField(primary_key=True)
    used_at = models.DateTimeField(default=clock.now, db_index=True)

    def __str__(self) -> str:
        return str(self.key)


class AccessToken(AbstractAccessToken):  # type: ignore[misc]
    """An issued token. Only its SHA-256 is stored (RFC 9700 section 4.9); the row stays after revocation."""

    created = models.DateTimeField(default=clock.now, editable=False)
    authorization_details = models.JSONField(
        default=list, help_text="What the token covers (RFC 9396 section 2): actions, purposes, models, datasets."
    )
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager["AccessToken"]] = models.Manager()

    class Meta(AbstractAccessToken.Meta):  # type: ignore[misc]
        verbose_name = "access token"
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"Token {self.pk}"

    def refusal(self, *, at: datetime) -> TokenInvalid | None:
        """Return why the token may not be used at that moment; None if it may."""
        if self.application is None:
            return TokenInvalid("The access token belongs to no client.")
        partner = self.application.partner
        cut = partner.tokens_valid_after
        if self.revoked_at is not None or (cut is not None and self.created <= cut):
            return TokenRevoked("The access token was revoked.")
        if at >= self.expires:
            return TokenExpired("The access token has expired; ask for a new one.")
        if self.application.disabled_at is not None:
            return ClientIsDisabled("The client of this access token is disabled.")
        if partner.status != PartnerStatus.ACTIVE:
            return PartnerSuspended("The partner of this access token is suspended.")
        return None

    def revoke(self) -> None:
        """Refuse the library's own way, which deletes the row without a ledger entry: `tokens.revoke_token` revokes."""
        raise NotImplementedError

    def is_expired(self) -> bool:
        """Return whether the token may no longer be used; the library asks this."""
        return self.refusal(at=clock.now()) is not None


class ModelGroup(models.Model):
    """Models that roles name together, by slug as in tokens: this area does not know the registry."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=100)
    model_slugs = ArrayField(models.SlugField(), default=list, blank=True, help_text="Slugs of the models in it.")

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class Role(models.Model):
    """What API clients with the role may do, including everything that the roles it inherits from allow."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(unique=True, help_text="The role 'member' holds for every client that has no other role.")
    name = models.CharField(max_length=100)
    partner = models.ForeignKey(
        Partner,
        on_delete=models.PROTECT,
        related_name="roles",
        null=True,
        blank=True,
        help_text="The one partner that the role is for; empty: any.",
    )
    inherits = models.ManyToManyField("self", symmetrical=False, related_name="heirs", blank=True)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class RolePermission(models.Model):
    """An action that a role allows: with one model, with the models of a group, or with any."""

    id = models.BigAutoField(primary_key=True)
    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="permissions")
    action = models.CharField(max_length=32, choices=ACTION_CHOICES, blank=True, help_text="Empty: every action.")
    model_slug = models.SlugField(blank=True, help_text="Empty: any model, unless there is a group.")
    group = models.ForeignKey(ModelGroup, on_delete=models.PROTECT, related_name="permissions", null=True, blank=True)

    class Meta:
        ordering = ["role", "action", "model_slug"]
        constraints = [
            models.UniqueConstraint(
                fields=["role", "action", "model_slug", "group"], name="role_permission_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=models.Q(model_slug="") | models.Q(group=None), name="role_permission_model_or_group"
            ),
        ]

    def __str__(self) -> str:
        what = f"models of {self.group}" if self.group_id else self.model_slug or "any model"
        return f"{self.action or 'every action'} with {what}"


class RoleAssignment(models.Model):
    """A client has a role."""

    id = models.BigAutoField(primary_key=True)
    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="role_assignments")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="assignments")
    assigned_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["client", "role"]
        constraints = [models.UniqueConstraint(fields=["client", "role"], name="role_assigned_once")]

    def __str__(self) -> str:
        return f"{self.role} of {self.client}"


class RoleVersion(models.Model):
    """A single row that changes with every change of roles, so that processes know when to read them again."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    version = models.UUIDField(default=new_id)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="role_version_single")]

    def __str__(self) -> str:
        return str(self.version)
