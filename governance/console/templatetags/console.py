"""Template filters of the console: the same words and looks as in its lists."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from django import template
from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from governance.audit.log.log_alarms import halted
from governance.audit.models import LogAlarm
from governance.console import asof, presentation
from governance.console.navigation import place_of
from governance.console.subjects import subject_link as _subject_link
from governance.console.types import Context
from governance.decisions.models import Permit
from governance.kernel.vocabulary import ACTION_LABELS, PURPOSE_LABELS, Action, Purpose
from governance.moderation.models import ModerationVerdict
from governance.transparency.predicates.catalogue import predicate_of_type

register = template.Library()


@register.filter
def moment(value: datetime | None) -> SafeString:
    """A moment in UTC."""
    return presentation.moment(value)


@register.filter
def digest(value: str) -> SafeString:
    """The beginning of a digest."""
    return presentation.digest(value)


@register.filter
def code(value: Any) -> SafeString:
    """A machine-readable word."""
    return presentation.code(str(value)) if value not in (None, "") else presentation.EMPTY


@register.filter
def predicate_link(predicate_type: str) -> SafeString:
    """A predicate type, linked to the page that says what its statements mean."""
    known = predicate_of_type(predicate_type)
    if known is None:
        return presentation.code(predicate_type)
    address = reverse("predicate", args=[known.name])
    return format_html('<a class="as-link" href="{}">{}</a>', address, presentation.code(predicate_type))


@register.filter
def filesize(value: int) -> str:
    """A number of bytes in decimal units."""
    return presentation.size(value)


@register.filter
def chips(values: Iterable[str], empty: str = "") -> SafeString:
    """Tags in a row."""
    return presentation.chips(sorted(values or ()), empty=empty)


@register.filter
def change_chips(values: Iterable[str]) -> SafeString:
    """What was added to or removed from a set, gathered by action where the items are permitted uses."""
    items = list(values)
    actions = {item.partition(":")[0] for item in items}
    return presentation.uses(items) if actions <= set(Action) else presentation.chips(items)


@register.filter
def direction_badge(proposal: Any) -> SafeString:
    """How a proposal permits compared with the version in force."""
    return presentation.choice_badge(proposal.direction, proposal.get_direction_display())


@register.filter
def uses(pairs: Iterable[str]) -> SafeString:
    """Permitted uses, gathered by action."""
    return presentation.uses(pairs)


@register.filter
def badge(text: str, tone: str = "quiet") -> SafeString:
    """A coloured label."""
    return presentation.badge(text, tone)


@register.filter
def row_url(row: Model) -> str:
    """The console page of a row."""
    return presentation.page_url(row)


@register.filter
def row_link(row: Model | None) -> SafeString:
    """A link to the console page of a row."""
    return presentation.link(row)


@register.filter
def permit_badge(permit: Permit) -> SafeString:
    """Whether a permit was used."""
    return presentation.permit_badge(permit)


@register.filter
def score_meter(score: float) -> SafeString:
    """A moderation score as a bar."""
    return presentation.score_meter(score)


@register.filter
def label_texts(verdict: ModerationVerdict) -> list[str]:
    """The unsafe labels of a verdict."""
    return presentation.label_texts(verdict)


@register.filter
def action_label(value: str) -> str:
    """What an action is called."""
    return ACTION_LABELS[Action(value)]


@register.filter
def purpose_label(value: str) -> str:
    """What a purpose is called."""
    return PURPOSE_LABELS[Purpose(value)]


@register.simple_tag
def subject(subject_type: str, subject_id: str, name: str = "") -> SafeString:
    """A subject of the ledger, linked to its page."""
    return _subject_link(subject_type, str(subject_id), name)


@register.simple_tag
def as_of_url(row: Model) -> str:
    """The page that says what a row was at a moment."""
    return asof.as_of_url(row)


@register.filter
def state_badge(row: Any) -> SafeString:
    """The state of a job as a badge."""
    return presentation.choice_badge(row.state, row.get_state_display())


@register.filter
def stage_badge(row: Any) -> SafeString:
    """The stage of a model version as a badge."""
    return presentation.choice_badge(row.stage, row.get_stage_display())


class Step(NamedTuple):
    """One step of the trail in the header."""

    title: str
    link: str = ""


@register.simple_tag(takes_context=True)
def trail(context: Context) -> list[Step]:
    """Where the user is: the group of the sidebar, the table, the row, and the page of the row."""
    opts = context.get("opts")
    if opts is None:
        return [Step(str(context.get("title") or ""))]
    group, table, link = place_of(opts)
    steps = [Step(group), Step(table, link)]
    row, page = context.get("original"), context.get("page")
    if isinstance(row, Model):
        steps.append(Step(str(row), presentation.page_url(row)))
    if page is not None and page.title != str(row):
        steps.append(Step(page.title))
    elif row is None and context.get("add"):
        steps.append(Step(f"New {opts.verbose_name}"))
    return [step for step in steps if step.title]


@register.simple_tag(takes_context=True)
def open_alarm(context: Context) -> LogAlarm | None:
    """The alarm that stopped the log, for those who may see alarms."""
    user = context.get("user")
    return halted() if user is not None and user.has_perm("audit.view_logalarm") else None


@register.filter
def ago(value: datetime) -> SafeString:
    """How long ago a moment was."""
    return presentation.ago(value)
