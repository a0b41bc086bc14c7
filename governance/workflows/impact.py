"""What a proposed version would open or close: works, creators, models and open jobs, each found by one query."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from governance.catalog.choices import ConsentState
from governance.catalog.models import Asset, ConsentGrant, ConsentLevelProposal, ConsentLevelVersion, Creator
from governance.catalog.queries import governing_statements, with_governing_consent
from governance.decisions.ports import supported_obligations
from governance.jobs.models import OPEN_STATES, Job, JobInput
from governance.kernel.vocabulary import Action
from governance.registry.licence_terms import LicenceContent, permits_no_more
from governance.registry.models import LicenceProposal, Model, ModelLicenceProposal

_INFER: Final = f"{Action.ASSET_INFER}:"


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one kind that a proposal reaches. Nothing is read before it is counted or listed."""

    name: str
    rows: "QuerySet[Any]"


@dataclass(frozen=True, slots=True)
class Impact:
    """What a proposal closes at once, and what it opens.

    With `by_new_grant` what it opens is open only to creators who grant the new version: none of it opens by itself.
    """

    closes: tuple[Group, ...]
    opens: tuple[Group, ...]
    by_new_grant: bool = False


def level_impact(proposal: ConsentLevelProposal, *, at: datetime) -> Impact:
    """Return what a proposed version of a consent level would reach at a moment, were it in force."""
    proposed = {str(pair) for pair in proposal.content["pairs"]}
    versions = ConsentLevelVersion.objects.filter(level__slug=proposal.slug)
    losing = {version.pk: set(version.effective) - proposed for version in versions}
    gaining = [version.pk for version in versions if proposed - set(version.effective)]
    closed = [pk for pk, lost in losing.items() if lost]
    jobs = _jobs_losing(losing, at)
    return Impact(
        closes=(
            Group("works", _works_of(closed, at)),
            Group("creators", _creators_of(closed, at)),
            Group("models", _models_of(jobs)),
            Group("jobs", jobs),
        ),
        opens=(Group("works", _works_of(gaining, at)), Group("creators", _creators_of(gaining, at))),
        by_new_grant=True,
    )


def licence_impact(proposal: LicenceProposal, *, at: datetime) -> Impact:
    """Return what a proposed version of a licence would reach at a moment, were it in force.

    What it closes and opens are its models, where it does not permit at least, or at most, what the version before did,
    and open jobs on them with the works that they read.
    """
    before = LicenceContent.of(proposal.base) if proposal.base is not None else None
    models = Model.objects.filter(licence__slug=proposal.slug)
    return _terms_impact(before, LicenceContent.from_json(proposal.content), models=models, at=at)


def model_licence_impact(proposal: ModelLicenceProposal, *, at: datetime) -> Impact:
    """Return what the move of a model would reach at a moment: the model, and its open jobs with what they read."""
    before, after = LicenceContent.of(proposal.base), LicenceContent.of(proposal.wanted)
    return _terms_impact(before, after, models=Model.objects.filter(pk=proposal.model_id), at=at)


def _terms_impact(
    before: LicenceContent | None, after: LicenceContent, *, models: "QuerySet[Model]", at: datetime
) -> Impact:
    jobs = _open_jobs().filter(model_version__model__in=models.order_by().values("pk"))
    now, then = _covered(before, at), _covered(after, at)
    loses = before is not None and not permits_no_more(after, before)
    gains = before is None or not permits_no_more(before, after)
    return Impact(
        closes=_of_licence(models if loses else models.none(), jobs.filter(now & ~then)),
        opens=_of_licence(models if gains else models.none(), jobs.filter(then & ~now)),
    )


def _of_licence(models: "QuerySet[Model]", jobs: "QuerySet[Job]") -> tuple[Group, ...]:
    read = JobInput.objects.filter(job__in=jobs.order_by().values("pk"))
    works = Asset.objects.filter(Exists(read.filter(asset=OuterRef("pk")))).select_related("creator")
    creators = Creator.objects.filter(Exists(read.filter(asset__creator=OuterRef("pk"))))
    return Group("works", works), Group("creators", creators), Group("models", models), Group("jobs", jobs)


def _covered(content: LicenceContent | None, at: datetime) -> Q:
    """Return which jobs a licence covers, as the system rules ask: purpose, region, partner, window, obligations."""
    nothing = Q(pk__in=[])
    if content is None or at < content.valid_from or (content.valid_until is not None and at >= content.valid_until):
        return nothing
    if not {str(each["kind"]) for each in content.obligations} <= supported_obligations.get():
        return nothing
    covered = Q(purpose__in=content.purposes)
    covered &= Q(partner__region__in=content.regions) if content.regions else Q()
    return covered & (Q(partner__slug__in=content.partners) if content.partners else Q())


def _works_of(versions: Collection[UUID], at: datetime) -> "QuerySet[Asset]":
    """Return the works for which a grant of one of these versions governs and is active."""
    granting = ConsentGrant.objects.filter(level_version__in=versions).order_by().values("creator")
    works = with_governing_consent(Asset.objects.filter(creator__in=granting), at=at)
    active = governing_statements(at=at).filter(Q(state=ConsentState.ACTIVE), level_version__in=versions)
    return works.filter(Exists(active)).select_related("creator")


def _creators_of(versions: Collection[UUID], at: datetime) -> "QuerySet[Creator]":
    """Return the creators of these works, and those whose default is such a grant while they have no works."""
    newest = ConsentGrant.objects.filter(creator=OuterRef("pk"), asset=None, valid_from__lte=at).order_by("-epoch")
    default = ConsentGrant.objects.filter(
        Q(valid_until=None) | Q(valid_until__gt=at),
        pk=Subquery(newest.values("pk")[:1]),
        level_version__in=versions,
    )
    granting = ConsentGrant.objects.filter(level_version__in=versions).order_by().values("creator")
    works = _works_of(versions, at).filter(creator=OuterRef("pk"))
    return Creator.objects.filter(id__in=granting).filter(Exists(works) | Exists(default))


def _jobs_losing(losing: Mapping[UUID, Collection[str]], at: datetime) -> "QuerySet[Job]":
    """Return the open jobs that read a work for a use which the grant that governs it would lose."""
    by_purpose: dict[str, list[UUID]] = {}
    for version, lost in losing.items():
        for pair in lost:
            if pair.startswith(_INFER):
                by_purpose.setdefault(pair.removeprefix(_INFER), []).append(version)
    affected = [
        Q(purpose=purpose) & Exists(JobInput.objects.filter(job=OuterRef("pk"), asset__in=_works_of(versions, at)))
        for purpose, versions in sorted(by_purpose.items())
    ]
    return _open_jobs().filter(reduce(or_, affected)) if affected else _open_jobs().none()


def _models_of(jobs: "QuerySet[Job]") -> "QuerySet[Model]":
    return Model.objects.filter(Exists(jobs.filter(model_version__model=OuterRef("pk"))))


def _open_jobs() -> "QuerySet[Job]":
    return Job.objects.filter(state__in=OPEN_STATES).select_related("partner", "model_version__model")
