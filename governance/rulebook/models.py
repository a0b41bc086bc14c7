"""Tables of the rulebook: ABAC rules, policy revisions and their activations."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from governance.kernel import clock
from governance.kernel.ids import new_id
from governance.kernel.vocabulary import ACTION_CHOICES
from governance.rulebook.choices import RuleEffect


class AbacRule(models.Model):
    """A rule that the governance team edits in the console. It decides only once it is part of a published revision."""

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


class PolicyRevision(models.Model):
    """An immutable, content-addressed, signed set of rules and Rego modules. Append-only by trigger."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.PositiveIntegerField(unique=True)
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the canonical content.")
    content = models.TextField(help_text="Canonical JSON: schema digest, rules, Rego modules.")
    signature = models.TextField(help_text="DSSE envelope over the digest.")
    rule_count = models.PositiveIntegerField()
    note = models.CharField(max_length=300, blank=True)
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-number"]
        verbose_name = "policy revision"

    def __str__(self) -> str:
        return f"Revision {self.number}"


class PolicyActivation(models.Model):
    """A revision became the one that decides. The newest row names the active revision. Append-only by trigger."""

    id = models.BigAutoField(primary_key=True)
    revision = models.ForeignKey(PolicyRevision, on_delete=models.PROTECT, related_name="activations")
    activated_by = models.CharField(max_length=150)
    activated_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-id"]
        verbose_name = "policy activation"

    def __str__(self) -> str:
        return f"{self.revision} from {self.activated_at:%Y-%m-%d %H:%M:%S}"
