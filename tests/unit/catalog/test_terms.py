from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from governance.catalog import terms
from governance.catalog.errors import ConsentInvalid, ConsentLevelInvalid
from governance.catalog.models import ConsentLevel
from governance.kernel.regions import REGIONS

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEVEL = ConsentLevel(slug="research")


def test_little_has_to_be_said() -> None:
    checked = terms.check_terms({"level": LEVEL}, now=NOW)

    assert checked == terms.CheckedTerms(
        level=LEVEL, regions=[], partners_allowed=[], partners_excluded=[], valid_from=NOW, valid_until=None
    )


def test_lists_are_kept_sorted_and_without_repetition() -> None:
    checked = terms.check_terms(
        {
            "level": LEVEL,
            "regions": ["US", "EU", "US"],
            "partners_allowed": ("zebra", "acme", "acme"),
            "partners_excluded": {"nova"},
        },
        now=NOW,
    )

    assert checked.regions == ["EU", "US"]
    assert checked.partners_allowed == ["acme", "zebra"]
    assert checked.partners_excluded == ["nova"]


def test_a_window_may_lie_anywhere_and_in_any_zone() -> None:
    start = datetime(2020, 1, 1, tzinfo=timezone(timedelta(hours=5)))

    checked = terms.check_terms({"level": LEVEL, "valid_from": start, "valid_until": NOW}, now=NOW)

    assert (checked.valid_from, checked.valid_until) == (start, NOW)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("valid_until", {"valid_until": NOW}),
        ("valid_until", {"valid_from": NOW, "valid_until": NOW - timedelta(seconds=1)}),
        ("valid_until", {"valid_until": datetime(2027, 1, 1)}),  # noqa: DTZ001
        ("valid_from", {"valid_from": datetime(2026, 1, 1)}),  # noqa: DTZ001
        ("regions", {"regions": ["DE", "XX"]}),
        ("regions", {"regions": ["de"]}),
        ("regions", {"regions": ["UK"]}),
        ("regions", {"regions": "DE"}),
        ("partners_allowed", {"partners_allowed": ["Acme Inc."]}),
        ("partners_excluded", {"partners_excluded": [""]}),
        ("partners_excluded", {"partners_excluded": ["x" * 51]}),
    ],
)
def test_what_is_wrong_names_its_field(field: str, said: dict[str, Any]) -> None:
    with pytest.raises(ConsentInvalid) as refusal:
        terms.check_terms({"level": LEVEL} | said, now=NOW)  # type: ignore[arg-type]

    assert refusal.value.error_code == "consent_invalid"
    assert refusal.value.details == {"field": field}


def test_every_region_is_taken() -> None:
    assert terms.check_terms({"level": LEVEL, "regions": REGIONS}, now=NOW).regions == sorted(REGIONS)


@pytest.mark.parametrize("digest", ["", "0123456789abcdef" * 4])
def test_a_digest_may_be_left_out_or_is_whole(digest: str) -> None:
    terms.check_evidence_digest(digest)


@pytest.mark.parametrize("digest", ["abc", "0123456789ABCDEF" * 4, "0123456789abcdef" * 4 + "\n", "g" * 64])
def test_a_digest_of_another_form_is_refused(digest: str) -> None:
    with pytest.raises(ConsentInvalid) as refusal:
        terms.check_evidence_digest(digest)

    assert refusal.value.details == {"field": "evidence_digest"}


def test_an_unknown_method_is_refused() -> None:
    terms.check_method("signed_form")
    with pytest.raises(ConsentInvalid) as refusal:
        terms.check_method("hearsay")

    assert refusal.value.details == {"field": "method"}


@pytest.mark.parametrize("pair", [("asset.steal", "research"), ("asset.infer", "fun"), ("", "")])
def test_an_unknown_use_is_refused(pair: tuple[str, str]) -> None:
    with pytest.raises(ConsentLevelInvalid) as refusal:
        terms.check_pairs([("asset.infer", "research"), pair])

    assert refusal.value.details == {"field": "pairs"}


def test_uses_are_kept_once() -> None:
    twice = [("asset.infer", "research"), ("asset.infer", "research")]

    assert terms.check_pairs(twice) == {("asset.infer", "research")}


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("slug", {"slug": ""}),
        ("slug", {"slug": "two words"}),
        ("slug", {"slug": "x" * 51}),
        ("name", {"name": "  "}),
        ("name", {"name": "x" * 101}),
        ("name", {"name": "bell\a"}),
        ("rank", {"rank": -1}),
        ("rank", {"rank": 32_768}),
    ],
)
def test_a_level_that_cannot_be_called_or_ranked_so_names_the_field(field: str, changed: dict[str, Any]) -> None:
    sound = {"slug": "research", "name": "Research", "rank": 1}
    terms.check_level(**sound)

    with pytest.raises(ConsentLevelInvalid) as refusal:
        terms.check_level(**sound | changed)

    assert refusal.value.details == {"field": field}
