"""How values look in lists and pages: badges, digests, moments, links, sizes."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from django.db.models import Model
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from governance.decisions.models import Permit
from governance.kernel import clock
from governance.kernel.vocabulary import Purpose
from governance.moderation.models import ModerationVerdict

EMPTY = mark_safe('<span class="as-none">–</span>')
DIGEST_SHOWN = 12
NAME_SHOWN = 20
CAUTION = 0.3
ALARM = 0.6
UNITS = ("B", "KB", "MB", "GB", "TB")


class Tone(StrEnum):
    """The meaning of a badge's colour."""

    GOOD = "good"
    BAD = "bad"
    WARN = "warn"
    BUSY = "busy"
    QUIET = "quiet"
    BRAND = "brand"


TONES: dict[str, Tone] = {
    # jobs
    "queued": Tone.QUIET,
    "leased": Tone.BUSY,
    "running": Tone.BUSY,
    "moderating": Tone.BUSY,
    "releasing": Tone.BUSY,
    "sealing": Tone.BUSY,
    "released": Tone.GOOD,
    "denied": Tone.BAD,
    "cancelled": Tone.WARN,
    "failed": Tone.BAD,
    # decisions and rules
    "permit": Tone.GOOD,
    "deny": Tone.BAD,
    # people, works, consent, licences, stages
    "active": Tone.GOOD,
    "suspended": Tone.BAD,
    "quarantined": Tone.BAD,
    "grant": Tone.GOOD,
    "withdrawal": Tone.BAD,
    "withdrawn": Tone.BAD,
    "expired": Tone.WARN,
    "revoked": Tone.BAD,
    # drafts and replays
    "draft": Tone.QUIET,
    "checked": Tone.BUSY,
    "replayed": Tone.BUSY,
    "in_review": Tone.WARN,
    "approved": Tone.BRAND,
    "superseded": Tone.QUIET,
    "rejected": Tone.BAD,
    # claims
    "accepted": Tone.GOOD,
    "refused": Tone.BAD,
    "moved": Tone.BRAND,
    "finished": Tone.GOOD,
    # proposals of versioned policy
    "open": Tone.WARN,
    "in_force": Tone.GOOD,
    "narrower": Tone.GOOD,
    "wider": Tone.WARN,
    "mixed": Tone.BUSY,
    "label": Tone.QUIET,
    "none": Tone.QUIET,
    "not_started": Tone.WARN,
    "staging": Tone.BUSY,
    "production": Tone.GOOD,
    "retired": Tone.QUIET,
}


def badge(text: str, tone: Tone | str = Tone.QUIET) -> SafeString:
    """Return a small coloured label."""
    return format_html('<span class="as-badge" data-tone="{}">{}</span>', tone, text)


def choice_badge(value: str, label: str) -> SafeString:
    """Return the badge of a stored choice, coloured by what the value means."""
    return badge(label, TONES.get(value, Tone.QUIET))


def chips(values: Iterable[str], *, empty: str = "") -> SafeString:
    """Return neutral tags in a row, or `empty` in grey where there are none."""
    shown = format_html_join("", '<span class="as-chip">{}</span>', ((value,) for value in values))
    if shown:
        return format_html('<span class="as-chips">{}</span>', shown)
    return format_html('<span class="as-none">{}</span>', empty) if empty else EMPTY


def uses(pairs: Iterable[str]) -> SafeString:
    """Return permitted uses, each written "action:purpose", gathered by action; "nothing" where there are none."""
    by_action: dict[str, set[str]] = {}
    for pair in pairs:
        action, _, purpose = pair.partition(":")
        by_action.setdefault(action, set()).add(purpose)
    gathered = [
        f"{action}: {'every purpose' if purposes >= set(Purpose) else ', '.join(sorted(purposes))}"
        for action, purposes in sorted(by_action.items())
    ]
    return chips(gathered, empty="nothing")


def digest(value: str) -> SafeString:
    """Return the beginning of a digest; the tooltip has all of it."""
    if not value:
        return EMPTY
    short = value if len(value) <= DIGEST_SHOWN else f"{value[:DIGEST_SHOWN]}…"
    return format_html('<code class="as-code" title="{}">{}</code>', value, short)


def code(value: str) -> SafeString:
    """Return a machine-readable word in the fixed-width face."""
    return format_html('<code class="as-code">{}</code>', value) if value else EMPTY


def short_uri(uri: str) -> SafeString:
    """Return a long URI with shortened names; the tooltip has all of it."""
    parts = uri.partition("://")[2].split("/") if "://" in uri else uri.rpartition(":")[2].split("/")
    shown = "/".join(part if len(part) <= NAME_SHOWN else f"{part[:4]}…{part[-DIGEST_SHOWN:]}" for part in parts)
    return format_html('<code class="as-code" title="{}">{}</code>', uri, shown)


def moment(value: datetime | None) -> SafeString:
    """Return a moment in UTC, to the second, machine-readable underneath."""
    if value is None:
        return EMPTY
    local = timezone.localtime(value)
    shown = date_format(local, "DATETIME_FORMAT")
    return format_html('<time datetime="{}" title="{} UTC">{}</time>', local.isoformat(), shown, shown)


def ago(value: datetime) -> SafeString:
    """Return how long ago a moment was; the moment itself is in the tooltip."""
    passed = (clock.now() - value).total_seconds()
    shown = f"{duration(passed, parts=1)} ago" if passed >= 1 else "just now"
    exact = date_format(timezone.localtime(value), "DATETIME_FORMAT")
    return format_html('<time datetime="{}" title="{} UTC">{}</time>', value.isoformat(), exact, shown)


def link(target: Model | None, text: str = "") -> SafeString:
    """Return a link to the console page of a row."""
    if target is None:
        return EMPTY
    return format_html('<a class="as-link" href="{}">{}</a>', page_url(target), text or str(target))


def page_url(target: Model) -> str:
    """Return the address of the console page of a row."""
    meta = target._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[target.pk])


def list_url(model: type[Model], query: str = "") -> str:
    """Return the address of the console list of a table, with a query string such as `?state=queued`."""
    meta = model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist") + query


def size(count: int) -> str:
    """Return a number of bytes as people read it, in decimal units (1 KB = 1,000 bytes)."""
    amount = float(count)
    for unit in UNITS[:-1]:
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} {UNITS[-1]}"


def duration(seconds: float, *, parts: int = 2) -> str:
    """Return a length of time in its largest units, at most `parts` of them."""
    whole = int(seconds)
    if whole < 1:
        return f"{seconds * 1000:.0f} ms"
    units = [(whole // 86_400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "min"), (whole % 60, "s")]
    return " ".join(f"{count} {unit}" for count, unit in [part for part in units if part[0]][:parts])


def person(actor_type: str, actor_id: str) -> str:
    """Return an actor as text."""
    return f"{actor_type}:{actor_id}" if actor_id else actor_type


def permit_badge(permit: Permit) -> SafeString:
    """Return whether a permit was used, can still be used, or ran out unused."""
    if permit.redeemed_at:
        return badge("Used", "good")
    if permit.expires_at > clock.now():
        return badge("Open", "busy")
    return badge("Expired unused", "quiet")


def score_meter(score: float) -> SafeString:
    """Return a score from 0 to 1 as a bar with its number. The colours are only a visual aid."""
    tone = "good" if score < CAUTION else "warn" if score < ALARM else "bad"
    return format_html(
        '<span class="as-score"><span class="as-meter" data-tone="{}"><span style="width: {}%"></span></span>'
        '<span class="as-num">{}</span></span>',
        tone,
        round(score * 100),
        f"{score:.2f}",
    )


def label_texts(verdict: ModerationVerdict) -> list[str]:
    """Return the unsafe labels with their confidence."""
    return [f"{each['label']} {each['score']:.2f}" for each in verdict.labels]
