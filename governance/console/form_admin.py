"""Tables whose rows are written through services: the form asks, the service writes.

Rows whose state is on record (`recorded_object`) show their changes from the ledger below the form, and are locked
optimistically: see `perform`.
"""

from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect

from governance.audit.recording.states import State
from governance.console.base import ConsoleAdmin
from governance.console.changes_on_record import changes_on_record
from governance.console.meanwhile import carry_state, recorded_state
from governance.console.pages import Page, form_page
from governance.console.presentation import list_url, page_url
from governance.console.types import Cleaned, Context
from governance.kernel.errors import GovernanceError


class FormAdmin(ConsoleAdmin):
    """A table with a custom form instead of a form over the columns."""

    form_template: ClassVar[str] = "console/form_page.html"
    #: The noun for a row, if it differs from the table's name.
    noun: ClassVar[str] = ""
    submit_label: ClassVar[str] = "Save"

    def build_form(self, request: HttpRequest, row: Any) -> Form:
        """Return the form for a new row (`row` None) or for changing one."""
        raise NotImplementedError

    def perform(self, request: HttpRequest, row: Any, data: Cleaned) -> Model:
        """Call the service with what was entered and return the row it wrote.

        For a row whose state is on record, `data["seen"]` is the state that the form was filled with: the service's
        argument of that name, so that a form that was opened before another change never undoes it.
        """
        raise NotImplementedError

    def seen_state(self, row: Any) -> State | None:
        """Return what the form shows of a row, for `perform` to hand to the service as `seen`; None for nothing."""
        return recorded_state(row)

    def form_context(self, request: HttpRequest, row: Any) -> Context:
        """Return what the page shows besides the form."""
        return {}

    def form_intro(self, row: Any) -> str:
        """Return the sentence above the form."""
        return ""

    def saved_message(self, row: Model) -> str:
        """Return the message after the row was written."""
        return f"The {self.noun or self.opts.verbose_name} “{row}” was saved."

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Context | None = None,
    ) -> HttpResponse:
        """Answer with the form, or with what came of it."""
        row = self._row(request, object_id)
        form = carry_state(self.build_form(request, row), self.seen_state(row))
        allowed = self.has_change_permission(request, row) if row else self.has_add_permission(request)
        if not allowed:
            for field in form.fields.values():
                field.disabled = True
        if request.method == "POST" and not allowed:
            raise PermissionDenied

        page = Page(
            title=str(row) if row else f"New {self.noun or self.opts.verbose_name}",
            submit=self.submit_label,
            back=list_url(self.model),
            intro=self.form_intro(row),
            template=self.form_template,
            extra={
                "changes_on_record": changes_on_record(row) if row else [],
                **self.form_context(request, row),
                "readonly": not allowed,
                "can_delete": row is not None and self.has_delete_permission(request, row),
            },
        )
        return form_page(
            request, admin=self, page=page, form=form, perform=lambda data: self.finish(request, row, data), row=row
        )

    def finish(self, request: HttpRequest, row: Any, data: Cleaned) -> HttpResponse:
        """Write the row, show a message and redirect to its page."""
        saved = self.perform(request, row, data)
        messages.success(request, self.saved_message(saved))
        return HttpResponseRedirect(page_url(saved))

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        """Call the service that deletes the row; tables whose rows can be deleted have one."""
        raise NotImplementedError

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Context | None = None) -> HttpResponse:
        """Delete with the service that `delete_model` calls; a refusal is shown on the row's page."""
        try:
            answer: HttpResponse = super().delete_view(request, object_id, extra_context)
        except GovernanceError as error:
            messages.error(request, error.message)
            return HttpResponseRedirect("../change/")
        return answer

    def _row(self, request: HttpRequest, object_id: str | None) -> Model | None:
        if object_id is None:
            if not self.has_add_permission(request):
                raise PermissionDenied
            return None
        row: Model | None = self.get_object(request, unquote(object_id))
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        if row is None:
            raise Http404(f"There is no {self.opts.verbose_name} with this id.")
        return row
