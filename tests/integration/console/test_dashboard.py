"""The first page tells what is, from rows."""

import json
from datetime import timedelta

from django.urls import reverse

from governance.audit.log.sequencer import sequence_pending
from governance.audit.models import OutboxEntry
from governance.audit.types import Fault
from governance.kernel import clock
from governance.kernel.clock import ManualClock
from tests.factories.audit import make_report
from tests.factories.marketplace import finish
from tests.history import guards_lifted
from tests.integration.console.conftest import logged_in

HOME = "admin:index"


def figures(client) -> dict[str, tuple[str, str]]:
    return {figure.name: (figure.value, figure.note) for figure in client.get(reverse(HOME)).context["figures"]}


def test_an_empty_installation_says_where_to_begin(boss):
    page = boss.get(reverse(HOME)).content.decode()
    assert "Nothing is governed here yet." in page
    assert "No policy revision is active." in page
    assert figures(boss)["Open jobs"] == ("0", "0 in the queue")
    assert figures(boss)["Oldest open job"] == ("–", "nothing waits")
    assert figures(boss)["Decisions, 24 h"] == ("0", "nothing was asked")


def test_figures_count_rows(market, boss):
    finish(market.submit().job.pk)
    market.submit(purpose="research")
    market.submit()
    sequence_pending()
    shown = figures(boss)
    assert shown["Open jobs"] == ("1", "1 in the queue")
    assert shown["Decisions, 24 h"] == ("5", "20% denied")
    assert shown["Evidence records"] == ("2", "1 waiting for WORM")
    log = boss.get(reverse(HOME)).context["log"]
    assert (log.word, log.status.waiting, log.status.lag_entries) == ("Not started", 0, log.status.size)


def test_bars_and_charts_count_rows(market, boss):
    market.submit(purpose="research")
    market.submit()
    context = boss.get(reverse(HOME)).context
    assert {bar.label: bar.count for bar in context["job_bars"]} == {"Queued": 1, "Denied": 1}
    assert [(bar.label, bar.count, bar.share) for bar in context["reason_bars"]] == [("consent_not_covered", 1, 100)]
    chart = json.loads(context["decision_chart"])
    assert {series["label"]: sum(series["data"]) for series in chart["datasets"]} == {"Permitted": 1, "Denied": 1}
    assert len(chart["labels"]) == 24


def test_yesterday_and_last_week_are_told_apart(market, boss):
    market.submit()
    with clock.using(ManualClock(clock.now() + timedelta(days=3))):
        context = boss.get(reverse(HOME)).context
    assert context["decisions"]["day"] == {"permit": 0, "deny": 0}
    assert context["decisions"]["week"] == {"permit": 1, "deny": 0}
    assert context["decision_chart"] == ""


def test_what_waits_too_long_stands_out(market, boss):
    market.submit(purpose="research")
    market.submit()
    oldest = OutboxEntry.objects.earliest("occurred_at").occurred_at
    with clock.using(ManualClock(oldest + timedelta(minutes=10))):
        context = boss.get(reverse(HOME)).context
        log = context["log"]
        assert (log.word, log.tone, log.waited) == ("Not started", "warn", "10 min")
    tones = {figure.name: figure.tone for figure in context["figures"]}
    assert tones["Oldest open job"] == "warn"
    assert tones["Evidence records"] == "warn"


def test_links_of_the_dashboard_lead_to_lists_that_open(market, boss):
    market.submit(purpose="research")
    market.submit()
    context = boss.get(reverse(HOME)).context
    links = [each.link for each in (*context["figures"], *context["job_bars"], *context["reason_bars"]) if each.link]
    assert {boss.get(link).status_code for link in links} == {200}
    listed = boss.get(next(bar.link for bar in context["job_bars"] if bar.label == "Denied")).context["cl"].result_list
    assert [job.state for job in listed] == ["denied"]


def test_a_decision_without_reasons_is_not_counted_as_one(market, boss):
    market.submit(purpose="research")
    with guards_lifted():
        market.submit(purpose="research").job.admission.__class__.objects.update(reason_codes=[])
    assert boss.get(reverse(HOME)).context["reason_bars"] == []


def test_the_last_reconciliation_is_shown_and_stands_out_when_it_found_something_or_is_old(boss):
    assert figures(boss)["Reconciliation"] == ("–", "never")
    make_report()
    assert figures(boss)["Reconciliation"] == ("complete", "1 s ago")
    with clock.using(ManualClock(clock.now() + timedelta(days=2))):
        context = logged_in(boss.user).get(reverse(HOME)).context
    assert {figure.name: figure.tone for figure in context["figures"]}["Reconciliation"] == "warn"
    make_report(Fault("job:1", "job_without_decision", "No decision.", "Restore it."))
    assert figures(boss)["Reconciliation"][0] == "1 fault"
