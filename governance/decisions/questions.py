"""Questions about one action on one resource, as the console and outside enforcement points ask them."""

from governance.catalog.models import Asset
from governance.catalog.queries import effective_consent
from governance.decisions.facts import asset_facts, common_facts, model_facts
from governance.decisions.types import AccessContext, Question, QuestionSet
from governance.kernel.vocabulary import Action
from governance.registry.models import ModelVersion

#: Actions with a work that also take a model; without one their facts are incomplete, which is a denial.
ACTIONS_WITH_A_MODEL = frozenset([Action.ASSET_INFER, Action.ASSET_TRAIN])


def about_asset(
    *, context: AccessContext, action: Action, asset: Asset, version: ModelVersion | None = None
) -> QuestionSet:
    """Return the question whether `action` may be done with a work, for those that take one with a model version."""
    consent = effective_consent(asset=asset, at=context.at)
    facts = common_facts(context, action) | asset_facts(asset, consent, f"{action}:{context.purpose}")
    if version is not None and action in ACTIONS_WITH_A_MODEL:
        facts |= model_facts(version, context.at)
    question = Question(action, "asset", str(asset.id), facts)
    return QuestionSet((question,), {asset.creator.slug: consent.epoch})


def about_model(*, context: AccessContext, action: Action, version: ModelVersion) -> QuestionSet:
    """Return the question whether `action` may be done with a model version, with the obligations of its licence."""
    facts = common_facts(context, action) | model_facts(version, context.at)
    question = Question(action, "model", version.model.slug, facts)
    return QuestionSet((question,), {}, tuple(version.model.licence.obligations))
