"""Creators, and the consent they gave."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AllValuesCheckboxFilter, ChoicesCheckboxFilter

from governance.catalog.choices import CreatorStatus, FileMetadata
from governance.catalog.creators import change_creator, create_creator, reinstate_creator, suspend_creator
from governance.catalog.models import Asset, Creator
from governance.console.base import actor_of
from governance.console.consent_story import consent_story, reach_of_withdrawal
from governance.console.form_admin import FormAdmin
from governance.console.forms.consent import GrantForm, WithdrawForm
from governance.console.forms.creators import CreatorForm, StatusReasonForm
from governance.console.forms.erasure import EraseForm
from governance.console.pages import Page, form_page, render_page, require, sent
from governance.console.presentation import choice_badge, code, page_url
from governance.console.types import Cleaned, Context
from governance.workflows.consent import grant_consent, withdraw_consent
from governance.workflows.erase_creator import erase_creator

PERSONAL_METADATA = [FileMetadata.AUTHOR.value, FileMetadata.PLACE.value]


@admin.register(Creator)
class CreatorAdmin(FormAdmin):
    """People whose works are in the catalogue."""

    intro = (
        "The people whose works are in the catalogue. Policies, partners and the ledger know them only by their "
        "slug; open one to see what they permit and to grant or withdraw consent for them."
    )
    empty_text = "Add the first creator, then a consent level to grant."
    list_display = ["display_name", "slug_", "region", "status_", "works", "statements", "consent_epoch"]
    list_filter = [("status", ChoicesCheckboxFilter), ("region", AllValuesCheckboxFilter)]
    search_ids = ("id",)
    search_fields = ["slug", "display_name"]
    search_help_text = "A name, a slug or an id"
    form_template = "console/creator.html"
    row_pages = {
        "grant": "grant_page",
        "withdraw": "withdraw_page",
        "suspend": "suspend_page",
        "erase": "erase_page",
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Creator]:
        """Return the rows with what the list shows beside their columns."""
        creators: QuerySet[Creator] = super().get_queryset(request)
        return creators.annotate(
            work_count=Count("assets", distinct=True), statement_count=Count("consent_grants", distinct=True)
        )

    def has_change_permission(self, request: HttpRequest, obj: Creator | None = None) -> bool:
        """Return whether the user may change the row."""
        erased = obj is not None and obj.erased_at is not None
        return not erased and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Creator | None = None) -> bool:
        """Return False: nothing is deleted here."""
        return False

    @admin.display(description="Slug", ordering="slug")
    def slug_(self, creator: Creator) -> SafeString:
        """Return the slug."""
        return code(creator.slug)

    @admin.display(description="Status", ordering="status")
    def status_(self, creator: Creator) -> SafeString:
        """Return the status as a badge."""
        return choice_badge(creator.status, creator.get_status_display())

    @admin.display(description="Works", ordering="work_count")
    def works(self, creator: Any) -> int:
        """Return how many works there are."""
        return int(creator.work_count)

    @admin.display(description="Statements", ordering="statement_count")
    def statements(self, creator: Any) -> int:
        """Return how many consent statements there are."""
        return int(creator.statement_count)

    def build_form(self, request: HttpRequest, row: Creator | None) -> Form:
        """Return the form for a new row, or for the row that is changed."""
        return CreatorForm(**sent(request), creator=row)

    def form_context(self, request: HttpRequest, row: Creator | None) -> Context:
        """Return what the page shows beside the form."""
        if row is None:
            return {}
        return {
            **consent_story(row, request.GET.get("works", "1")),
            "can_grant": row.erased_at is None and request.user.has_perm("catalog.add_consentgrant"),
            "can_suspend": row.erased_at is None and request.user.has_perm("catalog.change_creator"),
            "can_erase": row.erased_at is None and request.user.has_perm("catalog.delete_creator"),
            "status_badge": choice_badge(row.status, row.get_status_display()),
        }

    def perform(self, request: HttpRequest, row: Creator | None, data: Cleaned) -> Creator:
        """Call the service with what was entered, and return the row."""
        if row is None:
            return create_creator(**data, actor=actor_of(request))
        return change_creator(creator=row, **data, actor=actor_of(request))

    def grant_page(self, request: HttpRequest, row: Creator) -> HttpResponse:
        """Ask for the terms of a grant and record it."""
        require(request, "catalog.add_consentgrant")
        asset = _asset(request, row)
        page = Page(
            title=f"Grant consent for “{asset}”" if asset else f"Grant {row}'s default consent",
            submit="Record the grant",
            back=page_url(row),
            intro=(
                "It replaces this work's earlier statements and overrides the creator's default."
                if asset
                else "It applies to every work without its own statement, and replaces the earlier default."
            ),
        )

        def perform(data: Cleaned) -> HttpResponse:
            level = data["level_version"].level
            statement = grant_consent(creator=row, asset=asset, level=level, actor=actor_of(request), **data)
            messages.success(request, f"The grant of “{statement.level}” is on record as epoch {statement.epoch}.")
            return HttpResponseRedirect(page_url(row))

        form = GrantForm(**sent(request))
        return form_page(request, admin=self, page=page, form=form, perform=perform, row=row)

    def withdraw_page(self, request: HttpRequest, row: Creator) -> HttpResponse:
        """Ask what is withdrawn, show what that affects, and withdraw after a confirmation."""
        require(request, "catalog.add_consentgrant")
        asset = _asset(request, row)
        scopes = _scopes(asset)
        form = WithdrawForm(**sent(request), scopes=scopes)
        if form.is_valid() and "confirmed" not in request.POST:
            scope = form.cleaned_data["scope"]
            context = {
                "form": form,
                "reach": reach_of_withdrawal(creator=row, **_withdrawal(scope, asset)),
                "scope_label": dict(scopes)[scope],
            }
            page = _withdraw_page(row, submit="Withdraw consent now", danger=True)
            return render_page(request, admin=self, page=page, row=row, context=context)

        def perform(data: Cleaned) -> HttpResponse:
            chosen = _withdrawal(data["scope"], asset)
            withdraw_consent(creator=row, **chosen, method=data["method"], actor=actor_of(request))
            messages.success(request, "The withdrawal is recorded and in force.")
            return HttpResponseRedirect(page_url(row))

        page = _withdraw_page(row, submit="Continue", danger=False)
        return form_page(request, admin=self, page=page, form=form, perform=perform, row=row)

    def suspend_page(self, request: HttpRequest, row: Creator) -> HttpResponse:
        """Suspend or reinstate a creator, with a reason."""
        require(request, "catalog.change_creator")
        suspending = row.status == CreatorStatus.ACTIVE
        page = Page(
            title=f"Suspend {row}?" if suspending else f"Reinstate {row}?",
            submit="Suspend the creator" if suspending else "Reinstate the creator",
            back=page_url(row),
            intro=(
                "Policy denies every use of a suspended creator's works, including waiting jobs."
                if suspending
                else "The creator's works can be used again, as far as consent and policy permit."
            ),
            danger=suspending,
        )

        def perform(data: Cleaned) -> HttpResponse:
            change_status = suspend_creator if suspending else reinstate_creator
            creator = change_status(creator=row, reason=data["reason"], actor=actor_of(request))
            messages.success(request, f"{creator} is {creator.get_status_display().lower()} now.")
            return HttpResponseRedirect(page_url(row))

        form = StatusReasonForm(**sent(request))
        return form_page(request, admin=self, page=page, form=form, perform=perform, row=row)

    def erase_page(self, request: HttpRequest, row: Creator) -> HttpResponse:
        """Show what is removed and what is kept, and erase once the slug was typed."""
        require(request, "catalog.delete_creator")
        page = Page(
            title=f"Erase the personal data of {row}",
            submit="Erase for good",
            back=page_url(row),
            intro="This cannot be undone. Nobody can restore the data.",
            danger=True,
            template="console/erase.html",
            extra={
                "reach": reach_of_withdrawal(creator=row, asset=None, everything=True),
                "personal_files": row.assets.filter(metadata_kinds__overlap=PERSONAL_METADATA).count(),
            },
        )

        def perform(data: Cleaned) -> HttpResponse:
            erasure = erase_creator(creator=row, method=data["method"], actor=actor_of(request))
            messages.success(
                request,
                f"Erased for good. Values: {erasure.values}, titles: {erasure.titles}, salts: {erasure.salts}.",
            )
            return HttpResponseRedirect(page_url(row))

        form = EraseForm(**sent(request), slug=row.slug)
        return form_page(request, admin=self, page=page, form=form, perform=perform, row=row)


def _asset(request: HttpRequest, creator: Creator) -> Asset | None:
    wanted = request.GET.get("work")
    if not wanted:
        return None
    try:
        return get_object_or_404(Asset, pk=UUID(wanted), creator=creator)
    except ValueError as error:
        raise Http404("There is no work with this id.") from error


def _scopes(asset: Asset | None) -> list[tuple[str, str]]:
    everything = ("everything", "Everything: the default and every work of this creator")
    if asset is not None:
        return [("work", f"Only “{asset}”"), everything]
    return [("default", "The default: works without their own statement"), everything]


def _withdrawal(scope: str, asset: Asset | None) -> dict[str, Any]:
    return {"asset": asset if scope == "work" else None, "everything": scope == "everything"}


def _withdraw_page(creator: Creator, *, submit: str, danger: bool) -> Page:
    return Page(
        title=f"Withdraw {creator}'s consent",
        submit=submit,
        back=page_url(creator),
        intro="A withdrawal takes effect at once. Only a new grant permits again.",
        danger=danger,
        template="console/withdraw.html",
    )
