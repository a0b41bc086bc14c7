"""Filters with a fixed vocabulary. They never ask a long table which values it holds."""

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import CheckboxFilter

from governance.audit.recording.entries import ACTOR_TYPES
from governance.jobs.choices import JobState
from governance.jobs.states import ENDED
from governance.kernel.vocabulary import PURPOSE_CHOICES


def vocabulary_filter(column: str, title: str, choices: Iterable[tuple[str, Any]]) -> type[CheckboxFilter]:
    """Return a filter of checkboxes for a column whose values are known beforehand."""
    offered = list(choices)

    class Vocabulary(CheckboxFilter):  # type: ignore[misc]
        parameter_name = column

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
            return offered

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            chosen = self.value()
            return queryset.filter(**{f"{column}__in": chosen}) if chosen else queryset

    Vocabulary.title = title
    return Vocabulary


class KindFilter(CheckboxFilter):  # type: ignore[misc]
    """What ledger entries are about, by the first words of their kinds."""

    title = "subject matter"
    parameter_name = "about"
    groups = {
        "jobs": ("Jobs", ("job.",)),
        "decisions": ("Decisions and permits", ("decision.", "permit.")),
        "moderation": ("Moderation", ("moderation.",)),
        "evidence": ("Evidence", ("evidence.",)),
        "keys": ("Log, keys and WORM storage", ("audit.", "key.", "log.", "retention.", "scrub.", "worm.")),
        "consent": ("Consent", ("consent.", "consent_level.")),
        "catalogue": ("Creators and works", ("creator.", "asset.", "dataset.")),
        "policy": ("Policy", ("rule.", "revision.", "draft.", "replay.", "policy.")),
        "models": ("Models and licences", ("model.", "licence.")),
        "access": ("Partners and tokens", ("partner.", "tier.", "client.", "token.")),
        "accounts": ("Console users", ("user.", "group.")),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, label) for name, (label, _) in self.groups.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = [self.groups[name][1] for name in self.value() or () if name in self.groups]
        if not chosen:
            return queryset
        beginnings = [Q(kind__startswith=beginning) for group in chosen for beginning in group]
        return queryset.filter(reduce(or_, beginnings))


PurposeFilter = vocabulary_filter("purpose", "purpose", PURPOSE_CHOICES)
ActorFilter = vocabulary_filter("actor_type", "actor", [(name, name.capitalize()) for name in sorted(ACTOR_TYPES)])
ENDINGS = [(state.value, state.label) for state in JobState if state in ENDED]
OutcomeFilter = vocabulary_filter("outcome", "outcome", ENDINGS)
