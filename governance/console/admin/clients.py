"""API clients of partners and the tokens that were issued to them."""

from django.contrib import admin, messages
from django.db.models import Model
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString
from oauth2_provider.models import get_device_grant_model, get_grant_model, get_id_token_model, get_refresh_token_model
from unfold.contrib.filters.admin import AutocompleteSelectMultipleFilter, RangeDateTimeFilter

from governance.audit.queries import timeline
from governance.audit.types import SubjectRef
from governance.console.admin.client_credentials import CHANGE, CREDENTIAL_PAGES, CredentialPages
from governance.console.base import StoryAdmin, actor_of
from governance.console.cut_story import on_jobs
from governance.console.form_admin import FormAdmin
from governance.console.forms.partners import ClientForm, RevocationForm
from governance.console.forms.roles import ClientRolesForm
from governance.console.meanwhile import carry_seen
from governance.console.pages import Page, form_page, require, sent
from governance.console.presentation import badge, chips, code, digest, link, list_url, moment, page_url
from governance.console.types import Cleaned, Context
from governance.jobs.models import Job
from governance.kernel import clock
from governance.partners.client_secrets import has_earlier_secret
from governance.partners.client_use import once
from governance.partners.clients import create_client, delete_client, was_used
from governance.partners.errors import FormUsed
from governance.partners.models import AccessToken, ApiClient, Role
from governance.partners.roles import set_roles
from governance.partners.tokens import revoke_token
from governance.partners.types import Coverage

SET_ROLES = "partners.add_roleassignment"

# The library's own pages would show tokens and edit clients without the services.
for library_model in (
    ApiClient,
    AccessToken,
    get_refresh_token_model(),
    get_id_token_model(),
    get_grant_model(),
    get_device_grant_model(),
):
    if admin.site.is_registered(library_model):
        admin.site.unregister(library_model)


@admin.register(ApiClient)
class ApiClientAdmin(CredentialPages, FormAdmin):
    """Apps of partners."""

    intro = "Apps and servers of partners that ask for tokens, each with the most that its tokens may ever cover."
    empty_text = "Add a client to give a partner access. Its secret is shown once."
    form_template = "console/client.html"
    submit_label = "Create and show the secret"
    list_display = ["name", "partner_", "client_id_", "status_", "actions_", "purposes_", "limits", "used", "when"]
    list_filter = [("partner", AutocompleteSelectMultipleFilter), ("created", RangeDateTimeFilter)]
    list_select_related = ["partner"]
    search_ids = ("id",)
    search_fields = ["name", "client_id__exact", "partner__slug__exact"]
    search_help_text = "A name, a client id or a partner"
    row_pages = {"roles": "roles_page", **CREDENTIAL_PAGES}

    def has_change_permission(self, request: HttpRequest, obj: ApiClient | None = None) -> bool:
        """Return False: nothing is edited here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiClient | None = None) -> bool:
        """Return whether the user may delete clients, or this one: only while it was never used."""
        return request.user.has_perm("partners.delete_apiclient") and (obj is None or not was_used(obj))

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        """Delete through the service, on record."""
        assert isinstance(obj, ApiClient)
        delete_client(client=obj, actor=actor_of(request))

    @admin.display(description="Partner", ordering="partner__slug")
    def partner_(self, client: ApiClient) -> SafeString:
        """Return the partner."""
        return link(client.partner)

    @admin.display(description="Client id")
    def client_id_(self, client: ApiClient) -> SafeString:
        """Return the client id, shortened."""
        return digest(client.client_id)

    @admin.display(description="Status", ordering="disabled_at")
    def status_(self, client: ApiClient) -> SafeString:
        """Return whether it is in service, as a badge."""
        return client_badge(client)

    @admin.display(description="Last used (UTC)", ordering="last_used_at")
    def used(self, client: ApiClient) -> SafeString:
        """Return when it was last used, to the minute, in UTC."""
        return moment(client.last_used_at)

    @admin.display(description="Actions")
    def actions_(self, client: ApiClient) -> SafeString:
        """Return the actions it covers."""
        return chips(client.actions)

    @admin.display(description="Purposes")
    def purposes_(self, client: ApiClient) -> SafeString:
        """Return the purposes it covers."""
        return chips(client.purposes)

    @admin.display(description="Limits")
    def limits(self, client: ApiClient) -> SafeString:
        """Return the models and datasets that it is limited to."""
        return chips([*client.model_slugs, *client.dataset_slugs], empty="every model and dataset")

    @admin.display(description="Made (UTC)", ordering="created")
    def when(self, client: ApiClient) -> SafeString:
        """Return when it was made, in UTC."""
        return moment(client.created)

    def build_form(self, request: HttpRequest, row: ApiClient | None) -> Form:
        """Return the form for a new row, or for the row that is changed."""
        if row is not None:
            return Form()
        return ClientForm(**sent(request), initial={"partner": request.GET.get("partner")})

    def form_intro(self, row: ApiClient | None) -> str:
        """Return the sentence above the form."""
        return "" if row else "The secret is shown once, on the next page, and can never be read again."

    def form_context(self, request: HttpRequest, row: ApiClient | None) -> Context:
        """Return what the page shows beside the form."""
        if row is None:
            return {}
        tokens = AccessToken.objects.filter(application=row).order_by("-created")[:20]
        return {
            "tokens": [(token, token_badge(token)) for token in tokens],
            "roles": Role.objects.filter(assignments__client=row),
            "can_set_roles": request.user.has_perm(SET_ROLES),
            "can_change": request.user.has_perm(CHANGE),
            "keys": row.keys.all(),
            "earlier_until": row.earlier_secret_until if has_earlier_secret(row) else None,
            "status": client_badge(row),
        }

    def roles_page(self, request: HttpRequest, row: ApiClient) -> HttpResponse:
        """Give a client its roles."""
        require(request, SET_ROLES)
        page = Page(
            title=f"Roles of {row}",
            submit="Save",
            back=page_url(row),
            intro="What its roles allow, within its tokens' coverage. Changes take effect within a second.",
        )

        def perform(data: Cleaned) -> HttpResponse:
            set_roles(client=row, roles=data["roles"], seen=data["seen"], actor=actor_of(request))
            messages.success(request, f"The roles of {row} were saved.")
            return HttpResponseRedirect(page_url(row))

        held = list(Role.objects.filter(assignments__client=row).values_list("slug", flat=True))
        form = carry_seen(ClientRolesForm(**sent(request), client=row, initial={"roles": held}), row)
        return form_page(request, admin=self, page=page, form=form, perform=perform, row=row)

    def finish(self, request: HttpRequest, row: ApiClient | None, data: Cleaned) -> HttpResponse:
        """Show the secret in this response only: it is kept neither in the session nor in a URL."""
        form_key = data.pop("form_key")
        try:
            client, secret = once(form_key, lambda: create_client(**data, actor=actor_of(request)))
        except FormUsed as error:
            messages.warning(request, f"{error.message} Its secret cannot be shown again.")
            return HttpResponseRedirect(list_url(ApiClient))
        return self.secret_page(request, client, secret)


def client_badge(client: ApiClient) -> SafeString:
    """Return the badge of a client: in service or disabled."""
    return badge("Disabled", "bad") if client.disabled_at is not None else badge("Enabled", "good")


@admin.register(AccessToken)
class AccessTokenAdmin(StoryAdmin):
    """Tokens that were issued."""

    intro = "Tokens that were issued in the last 30 days. Only their SHA-256 is stored; a token cannot be read here."
    empty_text = "Tokens appear when API clients ask for them. They live for 15 minutes at most."
    story_template = "console/token.html"
    list_display = ["status", "client_", "partner_", "covers", "checksum", "when", "until"]
    list_display_links = ["status"]
    list_filter = [
        ("application__partner", AutocompleteSelectMultipleFilter),
        ("created", RangeDateTimeFilter),
    ]
    list_select_related = ["application__partner"]
    date_hierarchy = "created"
    search_fields = ["application__client_id__exact", "application__partner__slug__exact", "token_checksum__startswith"]
    search_help_text = "A client id, a partner, or the beginning of a token's SHA-256"
    row_pages = {"revoke": "revoke_page"}

    @admin.display(description="Status")
    def status(self, token: AccessToken) -> SafeString:
        """Return the status as a badge."""
        return token_badge(token)

    @admin.display(description="API client", ordering="application__name")
    def client_(self, token: AccessToken) -> SafeString:
        """Return the API client, linked."""
        return link(token.application)

    @admin.display(description="Partner")
    def partner_(self, token: AccessToken) -> SafeString:
        """Return the partner."""
        return link(token.application.partner)

    @admin.display(description="Actions")
    def covers(self, token: AccessToken) -> SafeString:
        """Return the actions it covers."""
        return chips(token.scope.split())

    @admin.display(description="SHA-256")
    def checksum(self, token: AccessToken) -> SafeString:
        """Return the digest, shortened."""
        return code(f"{token.token_checksum[:12]}…")

    @admin.display(description="Issued (UTC)", ordering="created")
    def when(self, token: AccessToken) -> SafeString:
        """Return when it was issued, in UTC."""
        return moment(token.created)

    @admin.display(description="Expires (UTC)", ordering="expires")
    def until(self, token: AccessToken) -> SafeString:
        """Return when it expires, in UTC."""
        return moment(token.expires)

    def story(self, request: HttpRequest, row: AccessToken) -> Context:
        """Return what the page of a row shows."""
        live = row.refusal(at=clock.now()) is None
        return {
            "status": token_badge(row),
            "coverage": Coverage.from_details(row.authorization_details),
            "can_revoke": live and request.user.has_perm("partners.change_accesstoken"),
            "ledger": timeline(SubjectRef("token", str(row.pk))),
        }

    def revoke_page(self, request: HttpRequest, row: AccessToken) -> HttpResponse:
        """Revoke one token after a confirmation."""
        require(request, "partners.change_accesstoken")
        page = Page(
            title="Revoke this token?",
            submit="Revoke the token",
            back=page_url(row),
            intro=(
                "It stops working with the next request. Jobs that were submitted with it end, also one that is being "
                "accepted now; other tokens of the client and their jobs are not affected."
            ),
            danger=True,
            **on_jobs(Job.objects.filter(token=row), "other tokens can fetch them"),
        )

        def perform(data: Cleaned) -> HttpResponse:
            changed = revoke_token(token=row, actor=actor_of(request), reason=data["reason"])
            messages.success(request, "The token is revoked." if changed else "The token was revoked already.")
            return HttpResponseRedirect(page_url(row))

        form = RevocationForm(**sent(request))
        return form_page(request, admin=self, page=page, form=form, perform=perform, row=row)


def token_badge(token: AccessToken) -> SafeString:
    """Return whether a token may be used now, and why not."""
    refusal = token.refusal(at=clock.now())
    if refusal is None:
        return badge("Live", "good")
    word = refusal.error_code.removeprefix("token_").replace("_", " ").capitalize()
    return badge(word, "quiet" if word == "Expired" else "bad")
