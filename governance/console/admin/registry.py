"""Licences, models and their versions."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Prefetch, QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RelatedCheckboxFilter

from governance.console.admin.model_licences import PROPOSE, move_page
from governance.console.base import actor_of
from governance.console.form_admin import FormAdmin
from governance.console.forms.models import ModelDetailsForm, ModelLicenceForm
from governance.console.forms.registry import AliasForm, StageForm, VersionForm, pretty
from governance.console.meanwhile import carry_seen
from governance.console.pages import Page, form_page, require, sent
from governance.console.presentation import (
    EMPTY,
    badge,
    chips,
    choice_badge,
    code,
    digest,
    link,
    moment,
    page_url,
    size,
)
from governance.console.version_story import open_proposals
from governance.jobs.models import Job
from governance.registry.choices import PRODUCTION_ALIAS, Stage
from governance.registry.model_services import change_model, create_model, delete_model, set_model_licence
from governance.registry.models import Model, ModelAlias, ModelLicenceProposal, ModelVersion
from governance.registry.services import TRANSITIONS, register_version, set_alias, set_stage


@admin.register(Model)
class GenerativeModelAdmin(FormAdmin):
    """Models that the marketplace offers."""

    intro = "Models that partners can ask for. Each runs under one licence, by the version its alias points to."
    empty_text = "Add a licence, then the first model."
    list_display = ["name", "slug_", "task", "owner", "licence_", "production", "version_count"]
    list_filter = [("task", ChoicesCheckboxFilter), ("licence", RelatedCheckboxFilter)]
    list_select_related = ["licence"]
    search_ids = ("id",)
    search_fields = ["name", "slug__exact", "owner__exact"]
    form_template = "console/model.html"
    row_pages = {"licence": "licence_page", "propose": "propose_page"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        models: QuerySet[Model] = super().get_queryset(request)
        aliases = Prefetch("aliases", queryset=ModelAlias.objects.select_related("version"))
        return models.annotate(versions_count=Count("versions")).prefetch_related(aliases)

    @admin.display(description="Slug", ordering="slug")
    def slug_(self, model: Model) -> SafeString:
        return code(model.slug)

    @admin.display(description="Licence", ordering="licence__slug")
    def licence_(self, model: Model) -> SafeString:
        return link(model.licence)

    @admin.display(description="In production")
    def production(self, model: Model) -> SafeString:
        found = [alias.version for alias in model.aliases.all() if alias.name == PRODUCTION_ALIAS]
        return link(found[0], found[0].version) if found else badge("none", "warn")

    @admin.display(description="Versions", ordering="versions_count")
    def version_count(self, model: Any) -> int:
        return int(model.versions_count)

    def build_form(self, request: HttpRequest, row: Model | None) -> Form:
        return ModelDetailsForm(**sent(request), model=row)

    def form_context(self, request: HttpRequest, row: Model | None) -> dict[str, Any]:
        if row is None:
            return {}
        return {
            "versions": row.versions.prefetch_related("aliases"),
            "can_register": request.user.has_perm("registry.add_modelversion"),
            "can_change_licence": request.user.has_perm("registry.change_model"),
            "can_propose_licence": request.user.has_perm(PROPOSE),
            "waiting": open_proposals(ModelLicenceProposal, row.slug),
        }

    def perform(self, request: HttpRequest, row: Model | None, data: dict[str, Any]) -> Model:
        if row is None:
            return create_model(**data, actor=actor_of(request))
        return change_model(model=row, **data, actor=actor_of(request))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete a model that has no versions, on record."""
        delete_model(model=obj, actor=actor_of(request))

    def licence_page(self, request: HttpRequest, row: Model) -> HttpResponse:
        """Put a model under another licence."""
        require(request, "registry.change_model")
        page = Page(
            title=f"Put {row} under a narrower licence",
            submit="Change the licence",
            back=page_url(row),
            intro="One person may do so where the other licence provably permits no more. Otherwise propose the move.",
        )

        def perform(data: dict[str, Any]) -> HttpResponse:
            changed = set_model_licence(model=row, **data, actor=actor_of(request))
            messages.success(request, f"{changed} runs under “{changed.licence}” from the next decision on.")
            return HttpResponseRedirect(page_url(row))

        form = carry_seen(ModelLicenceForm(**sent(request), model=row), row)
        return form_page(request, admin=self, page=page, form=form, perform=perform, row=row)

    def propose_page(self, request: HttpRequest, row: Model) -> HttpResponse:
        """Propose that a model runs under another licence."""
        return move_page(request, self, model=row, proposal=None)


@admin.register(ModelVersion)
class ModelVersionAdmin(FormAdmin):
    """Immutable artifacts of models."""

    intro = (
        "Immutable artifacts. A new version starts in staging, where only sandbox partners may use it; its digest is "
        "checked before every load."
    )
    empty_text = "Register the first artifact of a model."
    form_template = "console/version.html"
    submit_label = "Register the version"
    list_display = ["version_", "model_", "stage_", "names", "runtime", "bytes_", "sha", "when"]
    list_filter = [
        ("stage", ChoicesCheckboxFilter),
        ("model", RelatedCheckboxFilter),
        ("runtime", ChoicesCheckboxFilter),
    ]
    list_select_related = ["model"]
    search_ids = ("id",)
    search_fields = ["version", "model__slug__exact", "artifact_sha256__exact"]
    row_pages = {"stage": "stage_page", "alias": "alias_page"}

    def has_change_permission(self, request: HttpRequest, obj: ModelVersion | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ModelVersion | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelVersion]:
        versions: QuerySet[ModelVersion] = super().get_queryset(request)
        return versions.select_related("model__licence__in_force").prefetch_related("aliases")

    @admin.display(description="Version", ordering="version")
    def version_(self, version: ModelVersion) -> str:
        return version.version

    @admin.display(description="Model", ordering="model__slug")
    def model_(self, version: ModelVersion) -> SafeString:
        return link(version.model)

    @admin.display(description="Stage", ordering="stage")
    def stage_(self, version: ModelVersion) -> SafeString:
        return choice_badge(version.stage, version.get_stage_display())

    @admin.display(description="Aliases")
    def names(self, version: ModelVersion) -> SafeString:
        return chips([alias.name for alias in version.aliases.all()])

    @admin.display(description="Artifact", ordering="artifact_size")
    def bytes_(self, version: ModelVersion) -> str:
        return size(version.artifact_size)

    @admin.display(description="SHA-256")
    def sha(self, version: ModelVersion) -> SafeString:
        return digest(version.artifact_sha256)

    @admin.display(description="Registered (UTC)", ordering="created_at")
    def when(self, version: ModelVersion) -> SafeString:
        return moment(version.created_at)

    def build_form(self, request: HttpRequest, row: ModelVersion | None) -> Form:
        if row is not None:
            return Form()
        return VersionForm(**sent(request), initial={"model": request.GET.get("model")})

    def form_intro(self, row: ModelVersion | None) -> str:
        return (
            "" if row else "The version starts in staging. Move it to production and give it an alias when it is ready."
        )

    def form_context(self, request: HttpRequest, row: ModelVersion | None) -> dict[str, Any]:
        if row is None:
            return {}
        return {
            "stage": choice_badge(row.stage, row.get_stage_display()),
            "aliases": chips([alias.name for alias in row.aliases.all()], empty="none"),
            "config": pretty(row.config),
            "jobs": Job.objects.filter(model_version=row).select_related("partner").order_by("-created_at")[:10],
            "job_count": Job.objects.filter(model_version=row).count(),
            "can_steer": request.user.has_perm("registry.change_modelversion"),
            "can_move": bool(TRANSITIONS[row.stage]),
            "licence": link(row.model.licence) if row.model.licence_id else EMPTY,
        }

    def perform(self, request: HttpRequest, row: ModelVersion | None, data: dict[str, Any]) -> ModelVersion:
        return register_version(**data, actor=actor_of(request))

    def stage_page(self, request: HttpRequest, row: ModelVersion) -> HttpResponse:
        """Move a version to another stage."""
        require(request, "registry.change_modelversion")
        page = Page(title=f"Move {row} to another stage", submit="Move", back=page_url(row))

        def perform(data: dict[str, Any]) -> HttpResponse:
            moved = set_stage(version=row, stage=Stage(data["stage"]), actor=actor_of(request))
            messages.success(request, f"{moved} is in {moved.get_stage_display().lower()} now.")
            return HttpResponseRedirect(page_url(row))

        form = StageForm(**sent(request), version=row)
        return form_page(request, admin=self, page=page, form=form, perform=perform, row=row)

    def alias_page(self, request: HttpRequest, row: ModelVersion) -> HttpResponse:
        """Let an alias point to a version."""
        require(request, "registry.change_modelversion")
        page = Page(title=f"Let an alias point to {row}", submit="Set the alias", back=page_url(row))

        def perform(data: dict[str, Any]) -> HttpResponse:
            alias = set_alias(model=row.model, name=data["name"], version=row, actor=actor_of(request))
            messages.success(request, f"“{alias.name}” points to {row} now.")
            return HttpResponseRedirect(page_url(row))

        form = AliasForm(**sent(request))
        return form_page(request, admin=self, page=page, form=form, perform=perform, row=row)
