"""Licences that come into force as everywhere: one person proposes, another approves."""

from dataclasses import replace

from governance.audit.types import Actor
from governance.kernel import clock
from governance.registry.licence_terms import LicenceContent, checked_licence
from governance.registry.licences import propose_licence, put_licence_in_force
from governance.registry.models import Licence, LicenceProposal, LicenceVersion
from tests.factories.levels import APPROVER, AUTHOR


def make_licence(slug: str, *, name: str, purposes: list[str]) -> Licence:
    """Return a new licence whose first version is in force."""
    content = LicenceContent(name, tuple(purposes), (), (), clock.now(), None, (), "")
    content = checked_licence(slug=slug, content=content)
    proposal = propose_licence(slug=slug, content=content, base=None, reason="A new licence", actor=AUTHOR)
    return put_licence_in_force(proposal=proposal, digest=proposal.digest, actor=APPROVER).licence


def propose_change(licence: Licence, *, actor: Actor = AUTHOR, **terms: object) -> LicenceProposal:
    """Return an open proposal that starts from the version in force, but for the given terms."""
    base = LicenceVersion.objects.filter(licence=licence).order_by("-number")[0]
    content = replace(LicenceContent.of(base), **terms)  # type: ignore[arg-type]
    return propose_licence(slug=licence.slug, content=content, base=base, reason="A change", actor=actor)


def change_licence(licence: Licence, **terms: object) -> LicenceVersion:
    """Return a new version of the licence that is in force."""
    proposal = propose_change(licence, **terms)
    return put_licence_in_force(proposal=proposal, digest=proposal.digest, actor=APPROVER)
