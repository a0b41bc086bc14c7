"""The state of an object at a moment, as the console shows it, with its entry and later changes."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Model
from django.urls import reverse

from governance.audit.recording.asof import AsOf, Presence, as_of
from governance.audit.recording.states import State, differences, recorded_object_of
from governance.console.changes_on_record import changes_since, label, words
from governance.console.navigation import AS_OF
from governance.console.subjects import user_names
from governance.kernel import clock

#: Tone and text of each answer.
ANSWERS: Mapping[Presence, tuple[str, str]] = {
    Presence.THERE: ("good", "It existed"),
    Presence.DELETED: ("bad", "It had been deleted by then"),
    Presence.NOT_YET: ("quiet", "It did not exist yet"),
    Presence.NOT_ON_RECORD: ("quiet", "Its state was not on record yet; states are recorded since version 0.2"),
}


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a state: its value at the moment, and its current value if different."""

    name: str
    was: str
    now: str


def as_of_story(found: AsOf) -> Mapping[str, object]:
    """Return the context of the page for an answer."""
    now = as_of(subject=found.subject, at=clock.now())
    entry, tone_and_words = found.entry, ANSWERS[found.presence]
    who = entry.actor if entry else None
    return {
        "found": found,
        "tone": tone_and_words[0],
        "answer": tone_and_words[1],
        "members": _members(found.state or {}, now.state),
        "gone": now.state is None and found.state is not None,
        "actor_name": user_names([who.id]).get(who.id, "") if who and who.type == "user" else "",
        "changes_on_record": changes_since(found.subject, found.at),
    }


def as_of_url(row: Model) -> str:
    """Return the address of the page about a row, empty for rows whose state is not on record."""
    described = recorded_object_of(row)
    if described is None:
        return ""
    return reverse(AS_OF, query={"type": described.subject, "name": described.key(row)})


def _members(state: State, now: State | None) -> list[Member]:
    changed = {} if now is None else {each.name: words(each.now) for each in differences(state, now)}
    return [Member(label(name), words(value), changed.get(name, "")) for name, value in state.items()]
