"""Proposed moves of models to other licences."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from governance.console.admin.licences import FIELDS
from governance.console.base import ConsoleAdmin, actor_of
from governance.console.comparison import ShownField
from governance.console.forms.models import ModelLicenceProposalForm
from governance.console.pages import Page, form_page, require, sent
from governance.console.presentation import page_url
from governance.console.proposal_admin import ProposalAdmin
from governance.console.proposal_story import ProposalWay, permission
from governance.registry.model_licences import (
    MODEL_LICENCE_WAY,
    model_licence_changes_since,
    propose_model_licence,
    revise_model_licence_proposal,
    said_of,
)
from governance.registry.models import Model, ModelLicenceProposal
from governance.workflows.impact import model_licence_impact
from governance.workflows.levels import put_model_licence_in_force

PROPOSE = permission(ModelLicenceProposal, "add")


@admin.register(ModelLicenceProposal)
class ModelLicenceProposalAdmin(ProposalAdmin):
    """Models on their way to another licence."""

    intro = (
        "Proposed moves of models to other licences. A second person approves them; one to a licence that provably "
        "permits no more may be put into force by one."
    )
    empty_title = "No proposal yet"
    empty_text = "Open a model and propose another licence."
    list_select_related = ["model", "base__licence", "wanted__licence"]
    way = ProposalWay(
        proposals=MODEL_LICENCE_WAY,
        fields=(ShownField("licence", "Licence"), ShownField("version", "Version of it"), *FIELDS),
        put_in_force=put_model_licence_in_force,
        impact=model_licence_impact,
        changes_since=model_licence_changes_since,
        before=lambda proposal: said_of(proposal.base),
        target=lambda proposal: proposal.model,
    )

    def edit_page(self, request: HttpRequest, row: ModelLicenceProposal) -> HttpResponse:
        return move_page(request, self, model=row.model, proposal=row)


def move_page(
    request: HttpRequest, page_of: ConsoleAdmin, *, model: Model, proposal: ModelLicenceProposal | None
) -> HttpResponse:
    """Ask under which licence a model shall run, and write or edit the proposal of it."""
    require(request, PROPOSE)
    row = proposal or model
    page = Page(
        title=f"Edit the proposal “{proposal.reason}”"
        if proposal is not None
        else f"Propose another licence of {model}",
        submit="Save the proposal" if proposal is not None else "Propose",
        back=page_url(row),
        intro=(
            f"It runs under “{model.licence}”. Nothing changes yet: you see what the move opens and closes on the next "
            "page, and somebody else approves it."
        ),
        template="console/propose_version.html",
        extra={"stale": model_licence_changes_since(proposal) if proposal is not None else ""},
    )

    def perform(data: dict[str, Any]) -> HttpResponse:
        licence, reason, actor = data["licence"], data["reason"], actor_of(request)
        if proposal is None:
            saved = propose_model_licence(model=model, licence=licence, reason=reason, actor=actor)
        else:
            saved = revise_model_licence_proposal(proposal=proposal, licence=licence, reason=reason, actor=actor)
        messages.success(request, "The proposal was saved. Look at what it opens and closes.")
        return HttpResponseRedirect(page_url(saved))

    form = ModelLicenceProposalForm(**sent(request), model=model, proposal=proposal)
    return form_page(request, admin=page_of, page=page, form=form, perform=perform, row=row)
