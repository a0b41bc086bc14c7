"""OPA servers: the revision that each runs, when it was last seen and what it logged."""

import json
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter, RelatedCheckboxFilter

from governance.audit.queries import timeline
from governance.audit.types import SubjectRef
from governance.console.base import HistoryAdmin, actor_of
from governance.console.form_admin import FormAdmin
from governance.console.forms.opa import AddressForm, EnrolForm
from governance.console.pages import Page, form_page, render_page, require, sent
from governance.console.presentation import EMPTY, ago, badge, code, digest, link, list_url, moment, page_url
from governance.console.types import Cleaned, Context
from governance.kernel import clock
from governance.keys.ring import key_ring
from governance.opa.configuration import LONG_POLL_SECONDS, opa_configuration
from governance.opa.models import OpaDecisionLog, OpaRefusal, OpaServer
from governance.opa.reconciling import name_past_assent, reconcile
from governance.opa.services import enrol, renew_credential, revoke
from governance.rulebook.models import PolicyRevision
from governance.rulebook.queries import active_revision

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
#: The periods of the page of the reconciliation, by hours.
PERIODS = {"1": HOUR, "24": DAY, "168": 7 * DAY}
STRANGERS_PER_PAGE = 25
REFUSALS_SHOWN = 20
#: A running server contacts Assent at least once per long poll.
SILENT_AFTER = timedelta(seconds=3 * LONG_POLL_SECONDS)


def state_badge(server: OpaServer, active: str) -> SafeString:
    """Return the state of a server as a badge; `active` is the digest of the active revision."""
    if server.revoked_at is not None:
        return badge("Revoked", "quiet")
    if server.last_seen_at is None:
        return badge("Never seen", "warn")
    if clock.now() - server.last_seen_at > SILENT_AFTER:
        return badge("Silent", "bad")
    if server.error:
        return badge("Refuses the bundle", "bad")
    if server.revision != active:
        return badge("Behind", "warn")
    return badge("Up to date", "good")


@admin.register(OpaServer)
class OpaServerAdmin(FormAdmin):
    """OPA servers, each with its own credential."""

    intro = (
        "OPA servers pull signed bundles from here, decide, and report back. Answers of a server that does not run the "
        "active revision are not used."
    )
    empty_title = "No OPA server is enrolled"
    empty_text = "Enrol a server to get its configuration. Until then the policy engine in this process decides."
    form_template = "console/opa_server.html"
    list_display = ["name", "status_", "runs", "version_", "seen", "trouble", "logged"]
    search_ids = ("id",)
    search_fields = ["name"]
    row_pages = {"renew": "renew_page", "revoke": "revoke_page"}
    list_pages = {"reconcile": "reconcile_page"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[OpaServer]:
        """Return the rows with what the list shows beside their columns."""
        servers: QuerySet[OpaServer] = super().get_queryset(request)
        recent = Q(logs__received_at__gte=clock.now() - DAY)
        return servers.annotate(logged_today=Count("logs", filter=recent))

    def prepare(self, rows: list[Any]) -> None:
        """Look up the revisions that servers run, for all rows at once."""
        revisions = {each.digest: each for each in _revisions(row.revision for row in rows)}
        active = active_revision()
        for row in rows:
            row.revision_row = revisions.get(row.revision)
            row.state_badge = state_badge(row, active.digest if active else "")

    def has_change_permission(self, request: HttpRequest, obj: OpaServer | None = None) -> bool:
        """Return False: nothing is edited here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: OpaServer | None = None) -> bool:
        """Return False: nothing is deleted here."""
        return False

    @admin.display(description="State")
    def status_(self, server: Any) -> SafeString:
        """Return the state as a badge."""
        return SafeString(server.state_badge)

    @admin.display(description="Runs")
    def runs(self, server: Any) -> SafeString:
        """Return the revision that it runs, linked."""
        return link(server.revision_row) if server.revision_row else digest(server.revision)

    @admin.display(description="OPA")
    def version_(self, server: OpaServer) -> SafeString:
        """Return the version of OPA."""
        return code(server.version)

    @admin.display(description="Last seen", ordering="last_seen_at")
    def seen(self, server: OpaServer) -> SafeString:
        """Return how long ago it was last seen."""
        return ago(server.last_seen_at) if server.last_seen_at else EMPTY

    @admin.display(description="Last error")
    def trouble(self, server: OpaServer) -> str:
        """Return the beginning of its last error."""
        return server.error[:80] or "–"

    @admin.display(description="Logged in 24 h", ordering="logged_today")
    def logged(self, server: Any) -> int:
        """Return how many decisions it logged in 24 hours."""
        return int(server.logged_today)

    def build_form(self, request: HttpRequest, row: OpaServer | None) -> Form:
        """Return the form for a new row, or for the row that is changed."""
        if row is not None:
            return Form()
        return EnrolForm(**sent(request), initial={"url": request.build_absolute_uri("/").rstrip("/")})

    def form_intro(self, row: OpaServer | None) -> str:
        """Return the sentence above the form."""
        return "" if row else "The next page shows the server's configuration with its credential, once."

    def form_context(self, request: HttpRequest, row: OpaServer | None) -> Context:
        """Return what the page shows beside the form."""
        if row is None:
            return {}
        active, now = active_revision(), clock.now()
        reports = list(row.reports.all()[:20])
        revisions = {each.digest: each for each in _revisions([row.revision, *(each.revision for each in reports)])}
        return {
            "state_badge": state_badge(row, active.digest if active else ""),
            "runs": revisions.get(row.revision),
            "reports": [(report, revisions.get(report.revision)) for report in reports],
            "logs": row.logs.all()[:10],
            "found": reconcile(since=now - HOUR, until=now),
            "refusals": row.refusals.all()[:REFUSALS_SHOWN],
            "ledger": timeline(SubjectRef("opa_server", str(row.pk))),
            "may_change": row.revoked_at is None and request.user.has_perm("opa.change_opaserver"),
        }

    def finish(self, request: HttpRequest, row: OpaServer | None, data: Cleaned) -> HttpResponse:
        """Show the configuration in this response only: its credential is not stored."""
        server, token = enrol(name=data["name"], actor=actor_of(request))
        return self._configuration(request, server, token, data["url"])

    def renew_page(self, request: HttpRequest, row: OpaServer) -> HttpResponse:
        """Ask for the URL, issue a new credential, and show the configuration once."""
        require(request, "opa.change_opaserver")
        page = Page(
            title=f"New credential for {row}",
            submit="End the old credential and show a new one",
            back=page_url(row),
            intro="The server is cut off until it runs with the new configuration. It keeps deciding by what it has.",
        )
        form = AddressForm(**sent(request), initial={"url": request.build_absolute_uri("/").rstrip("/")})

        def perform(data: Cleaned) -> HttpResponse:
            token = renew_credential(server=row, actor=actor_of(request))
            row.refresh_from_db()
            return self._configuration(request, row, token, data["url"])

        return form_page(request, admin=self, page=page, form=form, perform=perform, row=row)

    def reconcile_page(self, request: HttpRequest) -> HttpResponse:
        """Show how logs and decisions match, and name the questions that were asked past Assent, in pages."""
        require(request, "opa.view_opaserver")
        hours = PERIODS.get(request.GET.get("hours", ""), PERIODS["24"])
        now = clock.now()
        found = reconcile(since=now - hours, until=now)
        shown = Paginator(found.strangers, STRANGERS_PER_PAGE).get_page(request.GET.get("page"))
        page = Page(
            title="Decision logs against decisions",
            submit="",
            back=list_url(OpaServer),
            template="console/opa_reconcile.html",
        )
        context = {
            "found": found,
            "hours": f"{hours // HOUR}",
            "periods": list(PERIODS),
            "shown": shown,
            "strangers": name_past_assent(list(shown.object_list)),
            "refusals": OpaRefusal.objects.select_related("server")[:REFUSALS_SHOWN],
        }
        return render_page(request, admin=self, page=page, context=context)

    def revoke_page(self, request: HttpRequest, row: OpaServer) -> HttpResponse:
        """Take the server out of service after a confirmation."""
        require(request, "opa.change_opaserver")
        page = Page(
            title=f"Take {row} out of service",
            submit="Take it out of service for good",
            back=page_url(row),
            intro="It gets no bundles from now on, and nothing it sends is accepted. This cannot be undone.",
            danger=True,
        )

        def perform(data: Cleaned) -> HttpResponse:
            revoke(server=row, actor=actor_of(request))
            messages.success(request, f"The OPA server “{row}” is out of service.")
            return HttpResponseRedirect(page_url(row))

        return form_page(request, admin=self, page=page, form=Form(**sent(request)), perform=perform, row=row)

    def _configuration(self, request: HttpRequest, server: OpaServer, token: str, url: str) -> HttpResponse:
        key = key_ring.get().public_key(server.key_id)
        text = json.dumps(opa_configuration(url=url, name=server.name, token=token, key=key), indent=2)
        page = Page(
            title="Keep this configuration now",
            submit="",
            back=page_url(server),
            template="console/opa_configuration.html",
        )
        response = render_page(request, admin=self, page=page, row=server, context={"configuration": text})
        response["Cache-Control"] = "no-store"
        return response


@admin.register(OpaDecisionLog)
class OpaDecisionLogAdmin(HistoryAdmin):
    """What OPA servers say they decided."""

    intro = "What OPA servers say they decided, without the facts. Assent's own decision records have those."
    empty_text = "Logs appear a few seconds after an OPA server has decided."
    list_display = ["decision_id_", "server_", "effects", "revision_", "facts", "when"]
    list_filter = [("server", RelatedCheckboxFilter), ("received_at", RangeDateTimeFilter)]
    list_select_related = ["server"]
    search_fields = ["decision_id__exact", "facts_sha256__exact"]
    search_help_text = "A decision id of OPA's or the SHA-256 of facts"
    fields = ["server", "decision_id", "path", "revision", "facts_sha256", "answers", "decided_at", "received_at"]

    @admin.display(description="Decision id")
    def decision_id_(self, log: OpaDecisionLog) -> SafeString:
        """Return the decision id, shortened."""
        return digest(log.decision_id)

    @admin.display(description="Server", ordering="server__name")
    def server_(self, log: OpaDecisionLog) -> SafeString:
        """Return the server, linked."""
        return link(log.server)

    @admin.display(description="Effects")
    def effects(self, log: OpaDecisionLog) -> str:
        """Return the effects of its answers."""
        return ", ".join(str(answer.get("effect")) for answer in log.answers if isinstance(answer, dict)) or "–"

    @admin.display(description="Revision")
    def revision_(self, log: OpaDecisionLog) -> SafeString:
        """Return the revision."""
        return digest(log.revision)

    @admin.display(description="Facts (SHA-256)")
    def facts(self, log: OpaDecisionLog) -> SafeString:
        """Return the digest of the facts, shortened."""
        return digest(log.facts_sha256)

    @admin.display(description="Decided (UTC)", ordering="decided_at")
    def when(self, log: OpaDecisionLog) -> SafeString:
        """Return when it was decided, in UTC."""
        return moment(log.decided_at)


def _revisions(digests: Any) -> QuerySet[PolicyRevision]:
    return PolicyRevision.objects.filter(digest__in={each for each in digests if each})
