"""What the rule form shows while a rule is being written."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from governance.catalog.models import ConsentLevel, Creator, Dataset
from governance.console.forms.rules import spec_from
from governance.decisions.recent import count_matches
from governance.kernel.regions import REGIONS
from governance.partners.models import Partner, Tier
from governance.registry.models import Licence, Model
from governance.rulebook.errors import RuleInvalid
from governance.rulebook.preview import describe, rego_preview

#: Placeholder for missing parts, so that a condition can be previewed before the rest is filled in.
PLACEHOLDERS = {"slug": "new-rule", "reason_code": "reason", "message": "…"}
SUGGESTED = 200


def preview(data: Any) -> dict[str, Any]:
    """Return `sentence`, `rego` and `matches` of a rule under construction, or `errors` with paths and sentences."""
    if not isinstance(data, Mapping):
        return {"errors": [{"path": "rule", "message": "A rule is an object."}]}
    names = ("slug", "effect", "actions", "condition", "reason_code", "message", "obligations")
    rule = {name: data.get(name) or PLACEHOLDERS.get(name) for name in names}
    try:
        spec = spec_from(rule)
        matches = count_matches(spec)
        return {"sentence": describe(spec), "rego": rego_preview(spec), "matches": asdict(matches), "errors": []}
    except RuleInvalid as error:
        return {"errors": [{"path": fault.path, "message": fault.message} for fault in error.errors]}


def value_suggestions() -> dict[str, list[str]]:
    """Return, by attribute, the names that exist here, for the builder to offer."""
    partners = _slugs(Partner.objects.values_list("slug", flat=True))
    datasets = _slugs(Dataset.objects.values_list("slug", flat=True))
    models = _slugs(Model.objects.values_list("slug", flat=True))
    regions = sorted(REGIONS)
    return {
        "subject.partner": partners,
        "subject.tier": _slugs(Tier.objects.values_list("slug", flat=True)),
        "subject.region": regions,
        "asset.creator": _slugs(Creator.objects.values_list("slug", flat=True)),
        "asset.dataset": datasets,
        "creator.region": regions,
        "consent.level": _slugs(ConsentLevel.objects.values_list("slug", flat=True)),
        "consent.regions": regions,
        "consent.partners": partners,
        "consent.partners_excluded": partners,
        "model.slug": models,
        "model.owner": _slugs(Model.objects.values_list("owner", flat=True).distinct()),
        "licence.slug": _slugs(Licence.objects.values_list("slug", flat=True)),
        "licence.regions": regions,
        "licence.partners": partners,
        "token.models": models,
        "token.datasets": datasets,
    }


def _slugs(names: Iterable[str]) -> list[str]:
    return sorted(set(names))[:SUGGESTED]
