"""What every console page shares: permissions, explanations, read-only history and detail pages."""

from collections.abc import Callable
from functools import reduce
from operator import or_
from typing import Any, ClassVar, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.db import DataError
from django.db.models import Field, Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import SimpleTemplateResponse
from django.urls import URLPattern, path
from django.utils.text import capfirst
from unfold.admin import ModelAdmin

from governance.audit.types import Actor
from governance.console.errors import QueryUnanswerable
from governance.console.forms.fields import RegionField
from governance.console.lists import ConsoleChangeList, answerable
from governance.console.types import Context, Given


def actor_of(request: HttpRequest) -> Actor:
    """Return the actor that stands for the console user."""
    return Actor(type="user", id=str(request.user.pk))


class ConsoleAdmin(ModelAdmin):  # type: ignore[misc]
    """A table of the console. `intro` explains it; `empty_text` says what to do while it is empty."""

    intro: ClassVar[str] = ""
    empty_title: ClassVar[str] = ""
    empty_text: ClassVar[str] = ""
    list_before_template = "console/list_intro.html"
    delete_confirmation_template = "console/delete.html"
    list_fullwidth = True
    list_filter_submit = True
    list_per_page = 50
    show_full_result_count = False
    compressed_fields = True
    warn_unsaved_form = True
    actions = None
    #: UUID columns that are searched by index for an id.
    search_ids: ClassVar[tuple[str, ...]] = ()
    #: Pages of a row besides its form: the last part of the URL, and the method that answers `(request, row)`.
    row_pages: ClassVar[dict[str, str]] = {}
    #: Pages besides the list: the last part of the URL, and the method that answers `(request)`.
    list_pages: ClassVar[dict[str, str]] = {}
    #: Row pages that set their own caching; all other pages are never cached.
    kept_pages: ClassVar[frozenset[str]] = frozenset()

    def render_change_form(self, request: HttpRequest, context: Context, *args: Given, **kwargs: Given) -> HttpResponse:
        """Answer with the form and what is shown around it."""
        context["show_save_and_add_another"] = False
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    def formfield_for_dbfield(self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Given) -> Any:
        """Return the field of a form for a column."""
        if db_field.name == "region":
            return RegionField(label=capfirst(db_field.verbose_name), help_text=db_field.help_text)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def prepare(self, rows: list[Any]) -> None:
        """Add to the rows of a list page what its columns show besides the database columns."""

    def get_changelist(self, request: HttpRequest, **kwargs: Given) -> type[ConsoleChangeList]:
        """Return the list that prepares its rows."""
        return ConsoleChangeList

    def get_changelist_instance(self, request: HttpRequest) -> ConsoleChangeList:
        """Return the list with its rows. Raises QueryUnanswerable."""
        with answerable(request):
            return cast(ConsoleChangeList, super().get_changelist_instance(request))

    def changelist_view(self, request: HttpRequest, extra_context: Context | None = None) -> HttpResponse:
        """Answer with the list; to a query that it cannot answer, with a message above the whole list."""
        try:
            answer: HttpResponse = super().changelist_view(request, extra_context)
            with answerable(request):
                return answer.render() if isinstance(answer, SimpleTemplateResponse) else answer
        except QueryUnanswerable as error:
            messages.warning(request, f"{error.message} This is the list without any filter.")
            return HttpResponseRedirect(request.path)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Model | None:
        """Return the row with this id, None if there is none, or no row can have it."""
        if "\0" in object_id:
            return None
        try:
            return cast("Model | None", super().get_object(request, object_id, from_field))
        except (DataError, OverflowError):
            return None

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses of the list, of its pages and of the pages of rows."""
        area, table = self.opts.app_label, self.opts.model_name
        of_list = [
            path(f"{part}/", self.admin_site.admin_view(getattr(self, view)), name=f"{area}_{table}_{part}")
            for part, view in self.list_pages.items()
        ]
        of_row = [
            path(
                f"<path:object_id>/{part}/",
                self.admin_site.admin_view(self._of_row(view), cacheable=part in self.kept_pages),
                name=f"{area}_{table}_{part}",
            )
            for part, view in self.row_pages.items()
        ]
        return [*of_list, *of_row, *super().get_urls()]

    def _of_row(self, view: str) -> Callable[[HttpRequest, str], HttpResponse]:
        def answer(request: HttpRequest, object_id: str) -> HttpResponse:
            row = self.get_object(request, unquote(object_id))
            if row is None:
                raise Http404(f"There is no {self.opts.verbose_name} with this id.")
            return cast(HttpResponse, getattr(self, view)(request, row))

        return answer

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Return the rows that a search finds, by index where it is for an id."""
        wanted = _uuid(search_term)
        if wanted is not None and self.search_ids:
            return queryset.filter(reduce(or_, (Q(**{column: wanted}) for column in self.search_ids))), False
        return cast("tuple[QuerySet[Any], bool]", super().get_search_results(request, queryset, search_term))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text.strip())
    except ValueError:
        return None


class HistoryAdmin(ConsoleAdmin):
    """A read-only table: its rows are written by services."""

    change_form_template = "console/history.html"
    warn_unsaved_form = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: no row is added here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Return False: nothing is edited here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Return False: nothing is deleted here."""
        return False


class StoryAdmin(HistoryAdmin):
    """A history table whose rows have their own page, rendered from `story_template` with what `story` returns."""

    story_template: ClassVar[str]
    change_form_template = "console/story.html"

    def story(self, request: HttpRequest, row: Any) -> Context:
        """Return what the page shows beyond the row itself (`original` in the template)."""
        raise NotImplementedError

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        """Return nothing: the page is drawn from the story."""
        return []

    def render_change_form(self, request: HttpRequest, context: Context, *args: Given, **kwargs: Given) -> HttpResponse:
        """Answer with the form and what is shown around it."""
        context.update(self.story(request, kwargs["obj"]), story_template=self.story_template)
        return super().render_change_form(request, context, *args, **kwargs)
