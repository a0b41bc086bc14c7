"""The policy information point (NIST SP 800-162 section 3.1): gathers the facts that `policies/schema.yaml` declares.

Every attribute of the schema is present for the actions it is declared for. Facts name people by their slug only.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from governance.catalog.choices import ConsentState
from governance.catalog.models import Asset
from governance.catalog.queries import effective_consents
from governance.catalog.types import EffectiveConsent
from governance.decisions.types import AccessContext, Question, QuestionSet, ReleaseFacts
from governance.kernel.canonical import timestamp
from governance.kernel.vocabulary import Action
from governance.partners.rbac import role_permits
from governance.registry.models import ModelVersion
from governance.registry.queries import licence_state, licence_versions


def run_questions(*, context: AccessContext, version: ModelVersion, assets: Sequence[Asset]) -> QuestionSet:
    """Return what must be permitted before a model may run: invoking it, and inference on every input."""
    return _question_set(context, version, assets, release=None)


def release_questions(
    *, context: AccessContext, version: ModelVersion, assets: Sequence[Asset], release: ReleaseFacts
) -> QuestionSet:
    """Return what must be permitted before an output may leave: all that was needed to run, and the release itself."""
    return _question_set(context, version, assets, release=release)


def _question_set(
    context: AccessContext, version: ModelVersion, assets: Sequence[Asset], release: ReleaseFacts | None
) -> QuestionSet:
    consents = effective_consents(assets, context.at)
    model = model_facts(version, context.at)
    questions = [_question(context, Action.MODEL_INVOKE, ("model", version.model.slug), model)]
    for asset in assets:
        consent = consents[asset.id]
        facts = model | asset_facts(asset, consent, f"{Action.ASSET_INFER}:{context.purpose}")
        questions.append(_question(context, Action.ASSET_INFER, ("asset", str(asset.id)), facts))
    if release is not None:
        facts = model | output_facts(release, consents.values(), f"{Action.ASSET_INFER}:{context.purpose}")
        questions.append(_question(context, Action.OUTPUT_RELEASE, ("output", release.job_id), facts))
    return QuestionSet(
        questions=tuple(questions),
        consent_epochs={asset.creator.slug: consents[asset.id].epoch for asset in assets},
        obligations=tuple(version.model.licence.obligations),
        licences=licence_versions(version),
    )


def _question(context: AccessContext, action: Action, resource: tuple[str, str], facts: dict[str, object]) -> Question:
    return Question(action, resource[0], resource[1], common_facts(context, action) | facts)


def common_facts(context: AccessContext, action: Action) -> dict[str, object]:
    """Return the facts that every action has: the request, the subject, its token and its roles."""
    token = context.token
    roles = role_permits(client_id=context.client_id, partner=context.partner.slug, action=action.value)
    return {
        "action": action.value,
        "purpose": context.purpose,
        "request": {"time": timestamp(context.at)},
        "subject": {
            "partner": context.partner.slug,
            "tier": context.partner.tier.slug,
            "region": context.partner.region,
            "status": context.partner.status,
            "client": context.client_id,
        },
        "token": {
            "actions": sorted(token.actions),
            "purposes": sorted(token.purposes),
            "any_model": token.models is None,
            "models": sorted(token.models or ()),
            "any_dataset": token.datasets is None,
            "datasets": sorted(token.datasets or ()),
        },
        "rbac": {"actions": list(roles.actions), "any_model": roles.any_model, "models": list(roles.models)},
    }


def asset_facts(asset: Asset, consent: EffectiveConsent, requested: str) -> dict[str, object]:
    """Return the facts of a work, its creator and the consent in force. `requested` is "action:purpose"."""
    return {
        "asset": {
            "id": str(asset.id),
            "creator": asset.creator.slug,
            "media_type": asset.media_type,
            "status": asset.status,
            "dataset": asset.dataset.slug if asset.dataset else None,
            "tags": sorted(asset.tags),
            "width": asset.width,
            "height": asset.height,
        },
        "creator": {"region": asset.creator.region, "status": asset.creator.status},
        "consent": consent_facts(consent, requested),
    }


def consent_facts(consent: EffectiveConsent, requested: str) -> dict[str, object]:
    """Return the facts of the consent in force. `requested` is "action:purpose"."""
    return {
        "state": str(consent.state),
        "level": consent.level,
        "pairs": _pairs(consent),
        "request": requested,
        "any_region": not consent.regions,
        "regions": sorted(consent.regions),
        "any_partner": not consent.partners_allowed,
        "partners": sorted(consent.partners_allowed),
        "partners_excluded": sorted(consent.partners_excluded),
        "epoch": consent.epoch,
    }


def model_facts(version: ModelVersion, at: datetime) -> dict[str, object]:
    """Return the facts of a model version and its licence at a moment."""
    licence = version.model.licence
    return {
        "model": {
            "slug": version.model.slug,
            "version": version.version,
            "stage": version.stage,
            "task": version.model.task,
            "owner": version.model.owner,
        },
        "licence": {
            "slug": licence.slug,
            "state": str(licence_state(licence, at)),
            "purposes": sorted(licence.purposes),
            "any_region": not licence.regions,
            "regions": sorted(licence.regions),
            "any_partner": not licence.partners,
            "partners": sorted(licence.partners),
        },
    }


def output_facts(release: ReleaseFacts, consents: Iterable[EffectiveConsent], requested: str) -> dict[str, object]:
    """Return the facts of an output that waits for release."""
    return {
        "moderation": {
            "input_score": release.input_score,
            "output_score": release.output_score,
            "input_labels": sorted(release.input_labels),
            "output_labels": sorted(release.output_labels),
        },
        "job": {"cancel_requested": release.cancel_requested},
        "output": {"width": release.width, "height": release.height},
        "consent": {
            "active": all(each.state == ConsentState.ACTIVE and requested in _pairs(each) for each in consents),
        },
    }


def _pairs(consent: EffectiveConsent) -> list[str]:
    return sorted(f"{action}:{purpose}" for action, purpose in consent.pairs)
