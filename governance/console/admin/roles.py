"""Roles of API clients, and the groups of models that they name."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.forms import Form
from django.http import HttpRequest
from django.utils.safestring import SafeString

from governance.console.base import actor_of
from governance.console.form_admin import FormAdmin
from governance.console.forms.roles import ModelGroupForm, RoleForm, grants_text
from governance.console.pages import sent
from governance.console.presentation import EMPTY, chips, code, link
from governance.console.types import Cleaned
from governance.partners.models import ModelGroup, Role
from governance.partners.roles import change_model_group, change_role, create_model_group, create_role


@admin.register(Role)
class RoleAdmin(FormAdmin):
    """What clients with a role may do."""

    intro = (
        "What API clients may do by their role. Roles, the token's scope and the policy must all permit a request; a "
        "denial says which did not. A change takes effect within a second."
    )
    empty_text = "Without roles every client may do what its token covers. Add a role to limit some clients."
    list_display = ["name", "slug_", "partner_", "allows", "inherits_", "holders"]
    list_select_related = ["partner"]
    search_ids = ("id",)
    search_fields = ["name", "slug"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Role]:
        """Return the rows with what the list shows beside their columns."""
        roles: QuerySet[Role] = super().get_queryset(request)
        return roles.prefetch_related("permissions__group", "inherits").annotate(
            holder_count=Count("assignments", distinct=True)
        )

    def has_delete_permission(self, request: HttpRequest, obj: Role | None = None) -> bool:
        """Return False: nothing is deleted here."""
        return False

    @admin.display(description="Slug", ordering="slug")
    def slug_(self, role: Role) -> SafeString:
        """Return the slug."""
        return code(role.slug)

    @admin.display(description="Only for", ordering="partner__slug")
    def partner_(self, role: Role) -> SafeString | str:
        """Return the partner that it is for."""
        return link(role.partner) if role.partner else "every partner"

    @admin.display(description="Allows")
    def allows(self, role: Role) -> SafeString:
        """Return what it allows by itself."""
        return chips(grants_text(list(role.permissions.all())).splitlines(), empty="no permissions of its own")

    @admin.display(description="Inherits from")
    def inherits_(self, role: Role) -> SafeString:
        """Return the roles that it inherits from."""
        return chips([parent.slug for parent in role.inherits.all()], empty=EMPTY)

    @admin.display(description="Clients", ordering="holder_count")
    def holders(self, role: Any) -> int:
        """Return how many clients have it."""
        return int(role.holder_count)

    def build_form(self, request: HttpRequest, row: Role | None) -> Form:
        """Return the form for a new row, or for the row that is changed."""
        if row is None:
            return RoleForm(**sent(request))
        initial = {
            "name": row.name,
            "inherits": [parent.slug for parent in row.inherits.all()],
            "grants": grants_text(list(row.permissions.select_related("group"))),
        }
        return RoleForm(**sent(request), role=row, initial=initial)

    def form_intro(self, row: Role | None) -> str:
        """Return the sentence above the form."""
        if row is None:
            return ""
        return f"“{row.slug}”, for {row.partner or 'every partner'}. A change takes effect within a second."

    def perform(self, request: HttpRequest, row: Role | None, data: Cleaned) -> Role:
        """Call the service with what was entered, and return the row."""
        if row is None:
            return create_role(**data, actor=actor_of(request))
        return change_role(role=row, **data, actor=actor_of(request))


@admin.register(ModelGroup)
class ModelGroupAdmin(FormAdmin):
    """Models that roles name together."""

    intro = (
        "Models that roles name together. A change takes effect within a second for every role that names the group."
    )
    empty_text = "Add a group to allow several models by one permission."
    list_display = ["name", "slug_", "models_"]
    search_ids = ("id",)
    search_fields = ["name", "slug"]

    def has_delete_permission(self, request: HttpRequest, obj: ModelGroup | None = None) -> bool:
        """Return False: nothing is deleted here."""
        return False

    @admin.display(description="Slug", ordering="slug")
    def slug_(self, group: ModelGroup) -> SafeString:
        """Return the slug."""
        return code(group.slug)

    @admin.display(description="Models")
    def models_(self, group: ModelGroup) -> SafeString:
        """Return the models."""
        return chips(group.model_slugs, empty="none")

    def build_form(self, request: HttpRequest, row: ModelGroup | None) -> Form:
        """Return the form for a new row, or for the row that is changed."""
        if row is None:
            return ModelGroupForm(**sent(request))
        initial = {"name": row.name, "models": row.model_slugs}
        return ModelGroupForm(**sent(request), group=row, initial=initial)

    def form_intro(self, row: ModelGroup | None) -> str:
        """Return the sentence above the form."""
        return f"“{row.slug}”. A change takes effect within a second for every role that names it." if row else ""

    def perform(self, request: HttpRequest, row: ModelGroup | None, data: Cleaned) -> ModelGroup:
        """Call the service with what was entered, and return the row."""
        if row is None:
            return create_model_group(**data, actor=actor_of(request))
        return change_model_group(group=row, **data, actor=actor_of(request))
