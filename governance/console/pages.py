"""Pages of the console that ask for something and then call one service: forms and confirmations."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied
from django.db.models import Model
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from governance.audit.errors import ChangedMeanwhile
from governance.console.base import ConsoleAdmin
from governance.console.meanwhile import meanwhile_story, take_over
from governance.kernel.errors import GovernanceError


@dataclass(frozen=True, slots=True)
class Page:
    """The texts of a form page. `back` is the target of Cancel; `danger` makes the button red."""

    title: str
    submit: str
    back: str
    intro: str = ""
    danger: bool = False
    template: str = "console/form_page.html"
    extra: Mapping[str, Any] = field(default_factory=dict)


def require(request: HttpRequest, permission: str) -> None:
    """Raise PermissionDenied unless the user has `permission`."""
    if not request.user.has_perm(permission):
        raise PermissionDenied(f"This needs the permission {permission}.")


def sent(request: HttpRequest) -> dict[str, Any]:
    """Return what a form is bound to: the data and files of a POST, even an empty one, and otherwise nothing."""
    return {"data": request.POST, "files": request.FILES} if request.method == "POST" else {}


def form_page(
    request: HttpRequest,
    *,
    admin: ConsoleAdmin,
    page: Page,
    form: Form,
    perform: Callable[[dict[str, Any]], HttpResponse],
    row: Model | None = None,
) -> HttpResponse:
    """Show a form; once it is valid, call `perform` with its cleaned data and return what that answers.

    A GovernanceError becomes a sentence at the field it names, or above the form; changes made meanwhile
    are shown above it, for forms with a seen state (`carry_seen`).
    """
    context: dict[str, object] = {"form": form}
    if request.method == "POST" and form.is_valid():
        try:
            return perform(form.cleaned_data)
        except ChangedMeanwhile as error:
            take_over(form, error)
            context["meanwhile"] = meanwhile_story(error)
        except GovernanceError as error:
            add_domain_error(form, error)
    return render_page(request, admin=admin, page=page, row=row, context=context)


def render_page(
    request: HttpRequest, *, admin: ConsoleAdmin, page: Page, context: Mapping[str, Any], row: Model | None = None
) -> HttpResponse:
    """Return a page in the frame of the console."""
    frame = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "original": row,
        "title": page.title,
        "page": page,
    }
    return TemplateResponse(request, page.template, {**frame, **page.extra, **context})


def add_domain_error(form: Form, error: GovernanceError) -> None:
    """Show a domain error at the field that it names, or above the form.

    A form can name the fields of errors that name none in `field_of_code`.
    """
    details = error.details
    listed = details.get("fields")
    fields: dict[str, Any] = listed if isinstance(listed, dict) else {}
    named = {name: sentences for name, sentences in fields.items() if name in form.fields}
    for name, sentences in named.items():
        form.add_error(name, sentences)
    if not named:
        by_code: Mapping[str, str] = getattr(form, "field_of_code", {})
        field = error.details.get("field") or by_code.get(error.error_code)
        form.add_error(field if field in form.fields else None, error.message)
    elif NON_FIELD_ERRORS in fields:
        form.add_error(None, fields[NON_FIELD_ERRORS])
