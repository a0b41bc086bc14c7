"""The versions of a consent level or licence as a history: what each changed, and who brought it into force."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from django.core.exceptions import ObjectDoesNotExist

from governance.catalog.choices import ProposalState
from governance.catalog.proposals import Proposal
from governance.console.comparison import FieldDifference, ShownField, differences
from governance.console.subjects import person_names
from governance.kernel.canonical import Json

WAITING_SHOWN: Final = 5
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class VersionView:
    """A version with what it changed of the one before it; without a proposal it is from before there were any."""

    version: Any
    proposal: Proposal | None
    authors: tuple[str, ...]
    decided_by: str
    changes: list[FieldDifference]


def open_proposals(model: type[Proposal], slug: str | None = None) -> list[Proposal]:
    """Return the newest proposals that wait to be decided on, of one slug or of all."""
    waiting = model._default_manager.filter(state=ProposalState.OPEN)
    return list((waiting.filter(slug=slug) if slug else waiting)[:WAITING_SHOWN])


def version_views(
    versions: Sequence[V], *, fields: Sequence[ShownField], said: Callable[[V | None], Mapping[str, Json] | None]
) -> list[VersionView]:
    """Return the versions, newest first as given, each with what it changed."""
    proposals = [_proposal(version) for version in versions]
    names = person_names(
        person for each in proposals if each is not None for person in (*each.authors, each.decided_by)
    )
    before = [*versions[1:], None]
    return [
        VersionView(
            version=version,
            proposal=proposal,
            authors=tuple(names.get(each, each) for each in proposal.authors) if proposal else (),
            decided_by=names.get(proposal.decided_by, proposal.decided_by) if proposal else "",
            changes=differences(fields, said(earlier), said(version) or {}),
        )
        for version, earlier, proposal in zip(versions, before, proposals, strict=True)
    ]


def _proposal(version: Any) -> Proposal | None:
    try:
        found: Proposal = version.proposal
    except ObjectDoesNotExist:
        return None
    return found
