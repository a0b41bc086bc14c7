"""What a version of a consent level says, and when one is provably narrower than another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.catalog.choices import Direction
from governance.catalog.errors import ConsentLevelInvalid
from governance.catalog.level_terms import LevelContent, checked_content, direction_of, said_changes

PAIRS = ("asset.infer:commercial", "asset.infer:research", "asset.train:research")
NOW = LevelContent("Research", 20, "For science.", PAIRS)

pairs = st.lists(st.sampled_from(PAIRS), unique=True).map(lambda drawn: tuple(sorted(drawn)))
contents = st.builds(LevelContent, st.sampled_from(["A", "B"]), st.integers(0, 1), st.sampled_from(["", "x"]), pairs)


@pytest.mark.parametrize(
    ("before", "after", "direction"),
    [
        (None, NOW, Direction.WIDER),
        (None, LevelContent("Nothing", 1, "", ()), Direction.WIDER),
        (NOW, LevelContent("Research", 20, "For science.", PAIRS[:2]), Direction.NARROWER),
        (NOW, LevelContent("Research", 20, "For science.", ()), Direction.NARROWER),
        (NOW, LevelContent("Science", 20, "For science.", PAIRS[:2]), Direction.MIXED),
        (NOW, LevelContent("Research", 21, "For science.", PAIRS[:2]), Direction.MIXED),
        (NOW, LevelContent("Research", 20, "For all.", PAIRS), Direction.LABEL),
        (NOW, LevelContent("Research", 20, "For science.", (*PAIRS[:2], "asset.train:commercial")), Direction.WIDER),
    ],
)
def test_only_a_loss_of_uses_under_the_same_label_is_narrower(
    before: LevelContent | None, after: LevelContent, direction: Direction
) -> None:
    assert direction_of(before, after) == direction


@given(before=contents, after=contents)
def test_what_is_narrower_permits_a_part_and_is_called_the_same(before: LevelContent, after: LevelContent) -> None:
    narrower = direction_of(before, after) == Direction.NARROWER

    assert narrower == (set(after.pairs) < set(before.pairs) and after.label == before.label)


@given(content=contents)
def test_a_content_survives_the_way_through_json(content: LevelContent) -> None:
    assert LevelContent.from_json(content.to_json()) == content


def test_what_is_no_content_is_refused() -> None:
    with pytest.raises(TypeError):
        LevelContent.from_json({"name": "A", "rank": "1", "description": "", "pairs": []})


def test_changes_are_said_in_words() -> None:
    after = LevelContent("Science", 5, "", ("asset.infer:research", "asset.train:commercial"))

    assert said_changes(NOW, NOW) == "nothing"
    assert said_changes(NOW, after) == (
        "permits asset.train:commercial; no longer permits asset.infer:commercial, asset.train:research; "
        "name Science instead of Research; rank 5 instead of 20; another description"
    )


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("slug", {"slug": "no slug"}),
        ("name", {"name": " "}),
        ("rank", {"rank": -1}),
        ("description", {"description": "x" * 2001}),
        ("pairs", {"pairs": [("asset.infer", "fun")]}),
    ],
)
def test_a_content_that_cannot_be_names_the_field(field: str, said: dict[str, object]) -> None:
    sound: dict[str, object] = {"slug": "research", "name": "Research", "rank": 1, "description": "", "pairs": []}

    with pytest.raises(ConsentLevelInvalid) as refusal:
        checked_content(**sound | said)  # type: ignore[arg-type]

    assert refusal.value.details == {"field": field}
