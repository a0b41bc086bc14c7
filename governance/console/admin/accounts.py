"""Console users and the groups that say what they may do."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from governance.console.base import ConsoleAdmin
from governance.console.presentation import badge, chips, moment
from governance.console.roles import ROLES

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ConsoleAdmin):  # type: ignore[type-arg, misc]
    """People who may open the console."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    intro = "People who may open the console. What they may see and do comes from their groups."
    list_display = ["username", "full_name", "roles", "standing", "seen"]
    list_filter = ["is_active", "is_superuser", "groups"]
    list_filter_submit = False
    autocomplete_fields = ["groups"]
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": (("first_name", "last_name"), "email")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Dates", {"fields": (("last_login", "date_joined"),)}),
    )
    readonly_fields = ["last_login", "date_joined"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        users: QuerySet[User] = super().get_queryset(request)
        return users.prefetch_related("groups")

    @admin.display(description="Name", ordering="last_name")
    def full_name(self, user: User) -> str:
        return user.get_full_name() or "–"

    @admin.display(description="Groups")
    def roles(self, user: User) -> SafeString:
        return chips([group.name for group in user.groups.all()], empty="everything" if user.is_superuser else "none")

    @admin.display(description="Account", ordering="is_active")
    def standing(self, user: User) -> SafeString:
        if not user.is_active:
            return badge("Disabled", "bad")
        if user.is_superuser:
            return badge("Superuser", "warn")
        return badge("Staff", "good") if user.is_staff else badge("No console access", "quiet")

    @admin.display(description="Last login (UTC)", ordering="last_login")
    def seen(self, user: User) -> SafeString:
        return moment(user.last_login)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ConsoleAdmin):  # type: ignore[misc]
    """Roles of console users."""

    intro = (
        "What a group of people may see and do. The six standard roles are kept by “manage.py ensure_roles”; groups of "
        "your own can be added beside them."
    )
    list_display = ["name", "about", "members", "permission_total"]
    search_fields = ["name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        groups: QuerySet[Group] = super().get_queryset(request)
        return groups.annotate(
            member_count=Count("user", distinct=True), permission_count=Count("permissions", distinct=True)
        )

    @admin.display(description="For")
    def about(self, group: Group) -> str:
        role = ROLES.get(group.name)
        return role.purpose if role else "–"

    @admin.display(description="People", ordering="member_count")
    def members(self, group: Any) -> int:
        return int(group.member_count)

    @admin.display(description="Permissions", ordering="permission_count")
    def permission_total(self, group: Any) -> int:
        return int(group.permission_count)
