"""Console users and the groups that define their permissions."""

from collections.abc import Callable
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin, messages
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Model, QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString

from governance.audit.recording.states import State
from governance.audit.types import Actor
from governance.console.access import Given, add_user, change_access, change_permissions, reactivate, take_factors
from governance.console.accounts import deactivate_user, delete_user, set_password, shown_state
from governance.console.base import actor_of
from governance.console.form_admin import FormAdmin
from governance.console.forms.accounts import GroupForm, NewUserForm, PasswordForm, UserForm
from governance.console.groups import create_group, delete_group
from governance.console.meanwhile import carry_seen
from governance.console.pages import Page, form_page, require, sent
from governance.console.presentation import badge, chips, link, moment, page_url
from governance.console.roles import ROLES
from governance.console.signin.factors import has_factor, needs_factor
from governance.console.signin.sessions import sign_out_everywhere
from governance.console.signin.waiting import end_wait, is_locked
from governance.console.types import Cleaned, Context

admin.site.unregister([User, Group, EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken])

CHANGE_USER = "auth.change_user"


@admin.register(User)
class UserAdmin(FormAdmin):
    """People who may open the console."""

    intro = (
        "People who may open the console. What they may see and do comes from their groups. Access is taken away at "
        "once; more access that can widen what is allowed waits for a second person. Superusers are made by "
        "“manage.py console_user”."
    )
    form_template = "console/user.html"
    list_display = ["username", "full_name", "roles", "account", "seen"]
    list_filter = ["is_active", "is_superuser", "groups"]
    list_filter_submit = False
    search_fields = ["username", "first_name", "last_name", "email"]
    ordering = ["username"]
    row_pages = {
        "password": "password_page",
        "deactivate": "deactivate_page",
        "activate": "activate_page",
        "sessions": "sessions_page",
        "unlock": "unlock_page",
        "factors": "factors_page",
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Return the rows with what the list shows beside their columns."""
        users: QuerySet[User] = super().get_queryset(request)
        return users.prefetch_related("groups")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Only superusers change superusers: else anybody who may change users could become one."""
        return bool(super().has_change_permission(request, obj)) and _within(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Return whether the user may delete the row."""
        return bool(super().has_delete_permission(request, obj)) and _within(request, obj)

    @admin.display(description="Name", ordering="last_name")
    def full_name(self, user: User) -> str:
        """Return the full name."""
        return user.get_full_name() or "–"

    @admin.display(description="Groups")
    def roles(self, user: User) -> SafeString:
        """Return the role groups."""
        return chips([group.name for group in user.groups.all()], empty="everything" if user.is_superuser else "none")

    @admin.display(description="Account", ordering="is_active")
    def account(self, user: User) -> SafeString:
        """Return whether the account may use the console, as a badge."""
        if not user.is_active:
            return badge("Disabled", "bad")
        if user.is_superuser:
            return badge("Superuser", "warn")
        return badge("Staff", "good") if user.is_staff else badge("No console access", "quiet")

    @admin.display(description="Last login (UTC)", ordering="last_login")
    def seen(self, user: User) -> SafeString:
        """Return the last login, in UTC."""
        return moment(user.last_login)

    def build_form(self, request: HttpRequest, row: User | None) -> Form:
        """Return the form for a new row, or for the row that is changed."""
        by_superuser = request.user.is_superuser
        if row is None:
            return NewUserForm(**sent(request), by_superuser=by_superuser)
        return UserForm(**sent(request), user=row, by_superuser=by_superuser)

    def seen_state(self, row: User | None) -> State | None:
        """Return what the form shows: names and addresses too, which are not on record."""
        return shown_state(row) if row is not None else None

    def form_context(self, request: HttpRequest, row: User | None) -> Context:
        """Return what the page shows beside the form."""
        if row is None:
            return {}
        return {
            "can_change": self.has_change_permission(request, row),
            "account_badge": self.account(row),
            "locked": is_locked(request, row),
            "has_factor": has_factor(row),
            "needs_factor": needs_factor(row),
        }

    def perform(self, request: HttpRequest, row: User | None, data: Cleaned) -> User:
        """Call the service with what was entered, and return the row."""
        if row is None:
            return self._given(request, add_user(**data, actor=actor_of(request)))
        return self._given(request, change_access(user=row, **data, actor=actor_of(request)))

    def _given(self, request: HttpRequest, given: Given) -> User:
        tell_of_proposal(request, given)
        assert isinstance(given.row, User)
        return given.row

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        """Delete an account, on record."""
        assert isinstance(obj, User)
        delete_user(user=obj, actor=actor_of(request))

    def password_page(self, request: HttpRequest, row: User) -> HttpResponse:
        """Give a user a new password."""
        page = Page(
            title=f"New password for {row}",
            submit="Set the password",
            back=page_url(row),
            intro="Every session of the account ends. That the password was set is on record, not what it is.",
        )
        return self._act(request, row, page, PasswordForm(**sent(request)), set_password, "{} has a new password.")

    def deactivate_page(self, request: HttpRequest, row: User) -> HttpResponse:
        """Let a user no longer log in, after asking once more."""
        page = Page(
            title=f"Deactivate {row}?",
            submit="Deactivate the account",
            back=page_url(row),
            intro="The user can no longer log in, and open sessions end. What the account did stays on record.",
            danger=True,
        )
        form = carry_seen(Form(**sent(request)), row)
        return self._act(request, row, page, form, deactivate_user, "{} is deactivated.")

    def activate_page(self, request: HttpRequest, row: User) -> HttpResponse:
        """Let a user log in again, after asking once more."""
        page = Page(
            title=f"Activate {row}?",
            submit="Activate the account",
            back=page_url(row),
            intro=(
                "The user can log in again, with the rights that the account has now. Where these can widen what is "
                "allowed, a second person has to approve it."
            ),
        )

        def activate(**given: Any) -> None:
            tell_of_proposal(request, reactivate(**given))

        form = carry_seen(Form(**sent(request)), row)
        return self._act(request, row, page, form, activate, "Done for {}.")

    def sessions_page(self, request: HttpRequest, row: User) -> HttpResponse:
        """End all sessions of a user, after asking once more."""
        page = Page(
            title=f"Sign {row} out everywhere?",
            submit="End all sessions",
            back=page_url(row),
            intro="Every browser in which the account is signed in has to log in again. The account stays active.",
        )
        return self._act(request, row, page, Form(**sent(request)), sign_out_everywhere, "{} is signed out.")

    def unlock_page(self, request: HttpRequest, row: User) -> HttpResponse:
        """End the wait after too many failed attempts, after asking once more."""
        page = Page(
            title=f"Let {row} try to log in again?",
            submit="End the wait",
            back=page_url(row),
            intro=(
                "Too many attempts to log in to this account failed, so it has to wait for some minutes. Ask the "
                "person whether the attempts were theirs; somebody may be guessing the password."
            ),
        )

        def unlock(*, user: User, actor: Actor) -> None:
            end_wait(request, user=user, actor=actor)

        return self._act(request, row, page, Form(**sent(request)), unlock, "{} can log in again.")

    def factors_page(self, request: HttpRequest, row: User) -> HttpResponse:
        """Remove the second factors of somebody who lost them, after asking once more."""
        page = Page(
            title=f"Reset the second factor of {row}?",
            submit="Reset the second factor",
            back=page_url(row),
            intro=(
                "All second factors and recovery codes of the account are removed, and its sessions end. Make sure "
                "that it is the person who asks. Where the account can widen what is allowed, a second person has "
                "to approve it."
            ),
            danger=True,
        )

        def reset(*, user: User, actor: Actor) -> None:
            tell_of_proposal(request, take_factors(user=user, actor=actor))

        return self._act(request, row, page, Form(**sent(request)), reset, "Done for {}.")

    def _act(
        self, request: HttpRequest, row: User, page: Page, form: Form, service: Callable[..., object], said: str
    ) -> HttpResponse:
        """Show the page of one action and call its service with what was entered."""
        require(request, CHANGE_USER)
        if not self.has_change_permission(request, row):
            raise PermissionDenied("Only superusers change superusers.")

        def perform(data: Cleaned) -> HttpResponse:
            service(user=row, **data, actor=actor_of(request))
            messages.success(request, said.format(row))
            return HttpResponseRedirect(page_url(row))

        return form_page(request, admin=self, page=page, form=form, perform=perform, row=row)


def tell_of_proposal(request: HttpRequest, given: Given) -> None:
    """Say what waits for a second person, if anything does."""
    if given.proposal is not None:
        text = format_html(
            "This part can widen what is allowed and waits for somebody else to approve it: {}.",
            link(given.proposal, given.proposal.reason),
        )
        messages.warning(request, text)


def _within(request: HttpRequest, user: User | None) -> bool:
    return user is None or not user.is_superuser or bool(request.user.is_superuser)


@admin.register(Group)
class GroupAdmin(FormAdmin):
    """Roles of console users."""

    intro = (
        "What a group of people may see and do. The standard roles are kept by “manage.py ensure_roles”; groups of "
        "your own can be added beside them."
    )
    list_display = ["name", "about", "members", "permission_total"]
    search_fields = ["name"]
    ordering = ["name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        """Return the rows with what the list shows beside their columns."""
        groups: QuerySet[Group] = super().get_queryset(request)
        return groups.annotate(
            member_count=Count("user", distinct=True), permission_count=Count("permissions", distinct=True)
        )

    @admin.display(description="For")
    def about(self, group: Group) -> str:
        """Return what it is for."""
        role = ROLES.get(group.name)
        return role.purpose if role else "–"

    @admin.display(description="People", ordering="member_count")
    def members(self, group: Any) -> int:
        """Return how many people are in it."""
        return int(group.member_count)

    @admin.display(description="Permissions", ordering="permission_count")
    def permission_total(self, group: Any) -> int:
        """Return how many permissions it gives."""
        return int(group.permission_count)

    def build_form(self, request: HttpRequest, row: Group | None) -> Form:
        """Return the form for a new row, or for the row that is changed."""
        return GroupForm(**sent(request), group=row)

    def perform(self, request: HttpRequest, row: Group | None, data: Cleaned) -> Group:
        """Call the service with what was entered, and return the row."""
        if row is None:
            return create_group(**data, actor=actor_of(request))
        given = change_permissions(group=row, **data, actor=actor_of(request))
        tell_of_proposal(request, given)
        return row

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        """Delete a group that nobody is in, on record."""
        assert isinstance(obj, Group)
        delete_group(group=obj, actor=actor_of(request))
