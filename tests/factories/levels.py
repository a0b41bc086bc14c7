"""Consent levels that come into force as everywhere: one person proposes, another approves."""

from collections.abc import Iterable

from governance.audit.types import Actor
from governance.catalog.level_terms import LevelContent, checked_content
from governance.catalog.levels import propose_level, put_level_in_force
from governance.catalog.models import ConsentLevel, ConsentLevelProposal, ConsentLevelVersion

AUTHOR = Actor("user", "policy-author")
APPROVER = Actor("user", "policy-approver")
Pairs = Iterable[tuple[str, str]]


def make_level(slug: str, *, name: str, pairs: Pairs, rank: int = 10, description: str = "") -> ConsentLevel:
    """Return a new level whose first version is in force."""
    content = checked_content(slug=slug, name=name, rank=rank, description=description, pairs=list(pairs))
    proposal = propose_level(slug=slug, content=content, base=None, reason="A new level", actor=AUTHOR)
    put_level_in_force(proposal=proposal, digest=proposal.digest, actor=APPROVER)
    return ConsentLevel.objects.select_related("in_force").get(slug=slug)


def content_of(level: ConsentLevel, *, pairs: Pairs | None = None, name: str | None = None) -> LevelContent:
    """Return what the version in force says, but for what is given."""
    now = ConsentLevel.objects.select_related("in_force").get(pk=level.pk).in_force
    wanted = now.pairs if pairs is None else sorted(f"{action}:{purpose}" for action, purpose in pairs)
    return LevelContent(name or now.name, now.rank, now.description, tuple(wanted))


def propose(
    level: ConsentLevel, *, pairs: Pairs | None = None, name: str | None = None, actor: Actor = AUTHOR
) -> ConsentLevelProposal:
    """Return an open proposal that starts from the version in force."""
    base = ConsentLevelVersion.objects.filter(level=level).order_by("-number").first()
    content = content_of(level, pairs=pairs, name=name)
    return propose_level(slug=level.slug, content=content, base=base, reason="A change", actor=actor)


def change_level(level: ConsentLevel, *, pairs: Pairs | None = None, name: str | None = None) -> ConsentLevelVersion:
    """Return a new version of the level that is in force."""
    proposal = propose(level, pairs=pairs, name=name)
    return put_level_in_force(proposal=proposal, digest=proposal.digest, actor=APPROVER)
