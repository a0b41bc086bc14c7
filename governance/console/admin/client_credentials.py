"""Pages of an API client about its access and its credentials. They are mixed into the table of clients."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from governance.console.base import ConsoleAdmin, actor_of
from governance.console.forms.clients import (
    ClientNameForm,
    DisablingForm,
    EnablingForm,
    KeyForm,
    RemoveKeyForm,
    RotationForm,
)
from governance.console.meanwhile import carry_seen
from governance.console.pages import Page, form_page, render_page, require, sent
from governance.console.presentation import page_url
from governance.console.types import Cleaned
from governance.partners.client_access import disable_client, enable_client
from governance.partners.client_keys import add_key, remove_key
from governance.partners.client_secrets import end_earlier_secret, rotate_secret
from governance.partners.client_use import once
from governance.partners.clients import rename_client
from governance.partners.errors import FormUsed
from governance.partners.models import ApiClient

CHANGE = "partners.change_apiclient"
CREDENTIAL_PAGES: Mapping[str, str] = {
    "rename": "rename_page",
    "disable": "disable_page",
    "enable": "enable_page",
    "rotate": "rotate_page",
    "end_earlier": "end_earlier_page",
    "add_key": "add_key_page",
    "remove_key": "remove_key_page",
}


class CredentialPages(ConsoleAdmin):
    """What can be done with the access and the credentials of an API client."""

    def rename_page(self, request: HttpRequest, row: ApiClient) -> HttpResponse:
        """Give a client another name."""
        page = Page(title=f"Rename {row}", submit="Rename", back=page_url(row), intro="The client id stays.")

        def perform(data: Cleaned) -> str:
            rename_client(client=row, name=data["name"], seen=data["seen"], actor=actor_of(request))
            return "The client was renamed."

        return self._step(request, row, page, ClientNameForm(**sent(request), initial={"name": row.name}), perform)

    def disable_page(self, request: HttpRequest, row: ApiClient) -> HttpResponse:
        """Take a client out of service."""
        page = Page(
            title=f"Disable {row}?",
            submit="Disable the client",
            back=page_url(row),
            intro=(
                "It gets no new tokens, and every token that it has is revoked at once. Jobs that were submitted with "
                "them end as cancelled. The client can be enabled again."
            ),
            danger=True,
        )

        def perform(data: Cleaned) -> str:
            live = disable_client(client=row, reason=data["reason"], seen=data["seen"], actor=actor_of(request))
            return f"The client is disabled. Live tokens that were revoked: {live}."

        return self._step(request, row, page, DisablingForm(**sent(request)), perform)

    def enable_page(self, request: HttpRequest, row: ApiClient) -> HttpResponse:
        """Put a client back into service."""
        page = Page(
            title=f"Enable {row}?",
            submit="Enable the client",
            back=page_url(row),
            intro="It can get tokens again. Tokens from before it was disabled stay revoked.",
        )

        def perform(data: Cleaned) -> str:
            enable_client(client=row, reason=data["reason"], seen=data["seen"], actor=actor_of(request))
            return "The client is enabled."

        return self._step(request, row, page, EnablingForm(**sent(request)), perform)

    def rotate_page(self, request: HttpRequest, row: ApiClient) -> HttpResponse:
        """Give a client a new secret, and show it in this response only."""
        require(request, CHANGE)
        page = Page(
            title=f"New secret for {row}",
            submit="Make and show the secret",
            back=page_url(row),
            intro="The secret is shown once, on the next page. Choose how long the present one goes on.",
        )

        def perform(data: Cleaned) -> HttpResponse:
            until, seen = data["earlier_until"], data["seen"]
            try:
                secret = once(
                    data["form_key"],
                    lambda: rotate_secret(client=row, earlier_until=until, seen=seen, actor=actor_of(request)),
                )
            except FormUsed as error:
                messages.warning(request, f"{error.message} Its secret cannot be shown again.")
                return HttpResponseRedirect(page_url(row))
            return self.secret_page(request, row, secret)

        form = carry_seen(RotationForm(**sent(request)), row)
        return form_page(request, admin=self, page=page, form=form, perform=perform, row=row)

    def end_earlier_page(self, request: HttpRequest, row: ApiClient) -> HttpResponse:
        """End the secret before the newest one."""
        page = Page(
            title="End the earlier secret?",
            submit="End it now",
            back=page_url(row),
            intro="Whoever still uses the earlier secret gets no new tokens. Tokens that were issued go on.",
            danger=True,
        )

        def perform(data: Cleaned) -> str:
            end_earlier_secret(client=row, seen=data["seen"], actor=actor_of(request))
            return "The earlier secret has ended."

        return self._step(request, row, page, Form(**sent(request)), perform)

    def add_key_page(self, request: HttpRequest, row: ApiClient) -> HttpResponse:
        """Add a public key to a client."""
        page = Page(
            title=f"Add a key to {row}",
            submit="Add the key",
            back=page_url(row),
            intro=(
                "The client then authenticates by assertions that its private key signs (private_key_jwt, RFC 7523). "
                "With the first key its secret ends at once."
            ),
            danger=not row.keys.exists(),
        )

        def perform(data: Cleaned) -> str:
            key = add_key(client=row, jwk=data["jwk"], seen=data["seen"], actor=actor_of(request))
            return f"The key {key.kid} was added."

        return self._step(request, row, page, KeyForm(**sent(request)), perform)

    def remove_key_page(self, request: HttpRequest, row: ApiClient) -> HttpResponse:
        """Remove a public key of a client."""
        page = Page(
            title=f"Remove a key of {row}?",
            submit="Remove the key",
            back=page_url(row),
            intro="Assertions that it signed are refused at once. Tokens that were issued go on.",
            danger=True,
        )

        def perform(data: Cleaned) -> str:
            remove_key(client=row, kid=data["kid"], seen=data["seen"], actor=actor_of(request))
            return f"The key {data['kid']} was removed."

        form = RemoveKeyForm(**sent(request), client=row, initial={"kid": request.GET.get("kid")})
        return self._step(request, row, page, form, perform)

    def secret_page(self, request: HttpRequest, row: ApiClient, secret: str) -> HttpResponse:
        """Return the page with a new secret, which is kept neither in the session nor in a URL."""
        page = Page(title="Keep this secret now", submit="", back=page_url(row), template="console/client_secret.html")
        response = render_page(request, admin=self, page=page, row=row, context={"secret": secret})
        response["Cache-Control"] = "no-store"
        return response

    def _step(self, request: HttpRequest, row: ApiClient, page: Page, form: Form, perform: Any) -> HttpResponse:
        require(request, CHANGE)

        def act(data: Cleaned) -> HttpResponse:
            messages.success(request, perform(data))
            return HttpResponseRedirect(page_url(row))

        return form_page(request, admin=self, page=page, form=carry_seen(form, row), perform=act, row=row)
