"""The permitted set is exactly what the engine permits when it is asked about one row at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.catalog.models import Asset, ConsentGrant, ConsentLevelVersion, Creator
from governance.catalog.queries import effective_consents
from governance.decisions import permitted
from governance.decisions.facts import asset_facts, common_facts, model_facts
from governance.decisions.permitted import permitted_assets, permitted_models
from governance.decisions.types import AccessContext
from governance.engines.rego import RegoEngine
from governance.engines.types import Effect, EngineRequest, PolicyProgram
from governance.kernel.vocabulary import Action, Purpose
from governance.partners.models import Tier
from governance.partners.types import Coverage
from governance.registry.models import Model
from governance.rulebook.attributes import Attribute, AttributeType
from governance.rulebook.content import build_content, program_of, rules_of
from governance.rulebook.rules import system_rules
from governance.rulebook.schema import attributes_for, current_schema, missing_facts
from governance.rulebook.types import All, Any_, Compare, Condition, Not, Operator, RuleSpec
from governance.rulebook.validation import checked, comparable_attributes
from tests.effort import examples
from tests.factories.catalog import AssetFactory, ConsentLevelFactory, CreatorFactory, DatasetFactory
from tests.factories.levels import change_level
from tests.factories.partners import PartnerFactory, TierFactory
from tests.factories.registry import LicenceFactory, ModelAliasFactory, ModelFactory, ModelVersionFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WORDS = ("ada", "bo", "DE", "FR", "a%_", "\\'\"é")
SIZES = (1, 640, 2**31 - 1)
moments = st.sampled_from([NOW + timedelta(seconds=seconds) for seconds in (-60, -1, 0, 1, 60)])
words = st.lists(st.sampled_from(WORDS), unique=True, max_size=3)
laws = settings(max_examples=examples(150))


# --- rules


def _values(attribute: Attribute) -> st.SearchStrategy[Any]:
    pairs = [f"{action}:{purpose}" for action in (Action.ASSET_TRAIN, Action.ASSET_INFER) for purpose in Purpose]
    pools: dict[str, st.SearchStrategy[Any]] = {
        "consent.pairs": st.sampled_from(pairs),
        "consent.request": st.sampled_from(pairs),
        "consent.level": st.sampled_from(["some", "more"]),
        "consent.epoch": st.integers(0, 3),
    }
    kinds = {
        AttributeType.BOOL: st.booleans(),
        AttributeType.INT: st.sampled_from([*SIZES, 0, -1, 2**53 - 1]),
        AttributeType.TIME: moments.map(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")),
    }
    plain = st.sampled_from(attribute.values) if attribute.values else kinds.get(attribute.type, st.sampled_from(WORDS))
    return pools.get(attribute.path, plain)


def _comparisons(attribute: Attribute, op: Operator, action: str) -> st.SearchStrategy[Compare]:
    if op is Operator.EXISTS:
        return st.just(Compare(attribute.path, op))
    value = _values(attribute)
    several = st.lists(value, min_size=1, max_size=3, unique=True).map(tuple)
    ranges = st.lists(value, min_size=2, max_size=2, unique=True).map(sorted).map(tuple)
    operands = {Operator.IN: several, Operator.NOT_IN: several, Operator.INTERSECTS: several, Operator.BETWEEN: ranges}
    others = comparable_attributes(attribute, op, [action], current_schema())
    return st.one_of(
        operands.get(op, value).map(lambda drawn: Compare(attribute.path, op, value=drawn)),
        *(st.just(Compare(attribute.path, op, other=other.path)) for other in others),
    )


def conditions(action: str) -> st.SearchStrategy[Condition]:
    leaves = st.one_of(
        [_comparisons(attribute, op, action) for attribute in attributes_for(action) for op in attribute.operators]
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3, unique_by=repr).map(lambda items: All(tuple(items))),
            st.lists(inner, min_size=1, max_size=3, unique_by=repr).map(lambda items: Any_(tuple(items))),
            inner.map(Not),
        ),
        max_leaves=6,
    )


def rule_sets(action: str) -> st.SearchStrategy[list[RuleSpec]]:
    one = st.builds(
        RuleSpec,
        id=st.from_regex(r"r[a-z0-9]{1,5}", fullmatch=True),
        effect=st.sampled_from(Effect),
        actions=st.just((action,)),
        condition=conditions(action),
        reason_code=st.just("because"),
        message=st.just("Because."),
    ).map(lambda spec: checked(spec, current_schema()))
    lists = st.lists(one, min_size=1, max_size=4, unique_by=lambda spec: spec.id)
    return lists | lists.map(lambda rules: [*rules, *system_rules()]) | st.just(list(system_rules()))


# --- rows

grants = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["grant", "grant", "grant", "withdrawal"]),
        "about": st.sampled_from(["default", 0, 1]),
        "level": st.sampled_from(["some", "more"]),
        "version": st.integers(0, 2),
        "regions": words,
        "partners_allowed": st.just([]) | st.lists(st.sampled_from(["lumen", "DE", "ada"]), unique=True),
        "partners_excluded": st.just([]) | st.lists(st.sampled_from(["lumen", "DE", "ada"]), unique=True),
        "valid_from": moments,
        "lasts": st.none() | st.sampled_from([1, 30, 60, 61]),
        "created_at": moments,
    }
)
works = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["active", "active", "quarantined"]),
        "dataset": st.sampled_from([None, "ada", "DE"]),
        "tags": words,
        "width": st.sampled_from(SIZES),
        "height": st.sampled_from(SIZES),
        "media_type": st.sampled_from(["image/png", "DE"]),
    }
)
creators = st.fixed_dictionaries(
    {
        "region": st.sampled_from(["DE", "FR"]),
        "status": st.sampled_from(["active", "active", "suspended"]),
        "works": st.lists(works, min_size=1, max_size=2),
        "grants": st.lists(grants, max_size=3),
    }
)
#: What the versions of a level permit, one after another: narrower ones take from the earlier, wider ones add nothing.
MORE = [(action, purpose) for action in (Action.ASSET_TRAIN, Action.ASSET_INFER) for purpose in Purpose]
SOME = [(Action.ASSET_TRAIN, Purpose.RESEARCH)]
OTHER = [(Action.ASSET_TRAIN, Purpose.COMMERCIAL), (Action.ASSET_INFER, Purpose.RESEARCH)]
histories = st.lists(st.sampled_from([SOME, OTHER, MORE, []]), min_size=1, max_size=3)
levels_over_time = st.fixed_dictionaries({"some": histories, "more": histories})
people = st.lists(creators, min_size=1, max_size=3)
worlds = st.fixed_dictionaries({"levels": levels_over_time, "people": people})
purposes = st.sampled_from(list(Purpose))
covers = st.builds(
    Coverage,
    actions=st.just(frozenset(Action)) | st.just(frozenset([Action.ASSET_INFER])),
    purposes=st.just(frozenset(Purpose)),
    models=st.none() | st.just(frozenset(["DE"])),
    datasets=st.none() | st.none() | st.just(frozenset(["ada"])),
)


def build_world(world: dict[str, Any]) -> None:
    levels = {slug: versions_of(slug, history) for slug, history in world["levels"].items()}
    datasets = {None: None, **{slug: DatasetFactory(slug=slug) for slug in ("ada", "DE")}}
    for number, told in enumerate(world["people"]):
        creator = CreatorFactory(slug=WORDS[number], region=told["region"], status=told["status"])
        made = [
            AssetFactory(creator=creator, **{**work, "dataset": datasets[work["dataset"]]}) for work in told["works"]
        ]
        _tell(creator, made, told["grants"], levels)


def versions_of(slug: str, history: list[list[tuple[str, str]]]) -> list[ConsentLevelVersion]:
    """Return the versions of a level with such a history, oldest first, of which grants can be."""
    first, *later = [pairs for pairs, _ in groupby(history)]
    level = ConsentLevelFactory(slug=slug, pairs=first)
    for pairs in later:
        change_level(level, pairs=pairs)
    return list(level.versions.order_by("number"))


def _tell(
    creator: Creator, made: list[Asset], told: list[dict[str, Any]], levels: dict[str, list[ConsentLevelVersion]]
) -> None:
    def granted(said: dict[str, Any]) -> ConsentLevelVersion | None:
        versions = levels[said["level"]]
        return {"grant": versions[min(said["version"], len(versions) - 1)]}.get(said["kind"])

    about = {"default": None, **{number: made[min(number, len(made) - 1)] for number in (0, 1)}}
    ConsentGrant.objects.bulk_create(
        ConsentGrant(
            creator=creator,
            kind=said["kind"],
            asset=about[said["about"]],
            level={"grant": levels[said["level"]][0].level}.get(said["kind"]),
            level_version=granted(said),
            regions=said["regions"],
            partners_allowed=said["partners_allowed"],
            partners_excluded=said["partners_excluded"],
            valid_from=said["valid_from"],
            valid_until=None if said["lasts"] is None else said["valid_from"] + timedelta(seconds=said["lasts"]),
            created_at=said["created_at"],
            method="console",
            epoch=epoch,
        )
        for epoch, said in enumerate(told, start=1)
    )
    Creator.objects.filter(pk=creator.pk).update(consent_epoch=len(told))


def program_for(rules: list[RuleSpec], patch: pytest.MonkeyPatch) -> PolicyProgram:
    content = build_content(schema=current_schema(), system=rules, abac=[])
    program = program_of(text=content.text, digest=content.digest)
    found = rules_of(text=content.text, digest=content.digest)
    patch.setattr(permitted, "active_program", lambda: program)
    patch.setattr(permitted, "rules_of_revision", lambda digest: found)
    return program


@contextmanager
def undone() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch, transaction.atomic():
        yield patch
        transaction.set_rollback(True)


def context_for(cover: Coverage, purpose: str) -> AccessContext:
    tier = Tier.objects.filter(slug="sandbox").first() or TierFactory.create(slug="sandbox", name="Sandbox")
    partner = PartnerFactory.create(slug="lumen", name="Lumen", tier=tier)
    return AccessContext(partner=partner, client_id=str(uuid4()), token=cover, purpose=purpose, at=NOW)


def permitted_one_by_one(program: PolicyProgram, action: str, asked: dict[str, dict[str, Any]]) -> set[str]:
    assert [missing_facts(action, facts) for facts in asked.values()] == [[]] * len(asked)
    requests = [EngineRequest(action, facts) for facts in asked.values()]
    answers = RegoEngine().evaluate(program=program, requests=requests)
    return {key for key, answer in zip(asked, answers, strict=True) if answer.effect is Effect.PERMIT}


@laws
@given(rules=rule_sets("asset.train"), world=worlds, cover=covers, purpose=purposes)
def test_of_works_exactly_those_that_the_engine_permits(
    rules: list[RuleSpec], world: dict[str, Any], cover: Coverage, purpose: str
) -> None:
    with undone() as patch:
        build_world(world)
        program, context = program_for(rules, patch), context_for(cover, purpose)
        version = ModelVersionFactory(model__slug="DE", model__owner="ada", stage="production")
        assets = Asset.objects.select_related("creator", "dataset")
        consents = effective_consents(assets, NOW)
        shared = common_facts(context, Action.ASSET_TRAIN) | model_facts(version, NOW)
        asked = {
            str(asset.id): shared | asset_facts(asset, consents[asset.id], f"asset.train:{purpose}") for asset in assets
        }

        found = permitted_assets(assets=assets, action=Action.ASSET_TRAIN, context=context, version=version)

        assert {str(asset.id) for asset in found} == permitted_one_by_one(program, "asset.train", asked)


licences = st.fixed_dictionaries(
    {
        "purposes": st.lists(purposes, unique=True),
        "regions": words,
        "partners": st.just([]) | st.lists(st.sampled_from(["lumen", "DE"]), unique=True),
        "valid_from": moments,
        "lasts": st.none() | st.sampled_from([1, 30, 60, 61]),
    }
)
shelves = st.lists(st.tuples(licences, st.sampled_from(["staging", "production", "retired"])), min_size=1, max_size=4)


def build_shelf(shelf: list[tuple[dict[str, Any], str]]) -> None:
    for number, (terms, stage) in enumerate(shelf):
        until = None if terms["lasts"] is None else terms["valid_from"] + timedelta(seconds=terms["lasts"])
        kept = {name: terms[name] for name in ("purposes", "regions", "partners", "valid_from")}
        licence = LicenceFactory(slug=f"l{number}", valid_until=until, **kept)
        version = ModelVersionFactory(
            model=ModelFactory(slug=WORDS[number], owner="ada", licence=licence), version="DE", stage=stage
        )
        ModelAliasFactory(version=version)
        ModelAliasFactory(version=version, name="also")


@laws
@given(rules=rule_sets("model.invoke"), shelf=shelves, cover=covers, purpose=purposes)
def test_of_models_exactly_those_that_the_engine_permits(
    rules: list[RuleSpec], shelf: list[tuple[dict[str, Any], str]], cover: Coverage, purpose: str
) -> None:
    with undone() as patch:
        build_shelf(shelf)
        program, context = program_for(rules, patch), context_for(cover, purpose)
        models = Model.objects.select_related("licence")
        shared = common_facts(context, Action.MODEL_INVOKE)
        asked = {model.slug: shared | model_facts(model.versions.get(), NOW) for model in models}

        found = permitted_models(models=models, action=Action.MODEL_INVOKE, context=context)

        assert {model.slug for model in found} == permitted_one_by_one(program, "model.invoke", asked)
