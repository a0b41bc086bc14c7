"""What a version of a consent level says, and how two of them compare."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, Self

from governance.catalog.choices import Direction
from governance.catalog.terms import check_level, check_pairs, level_invalid
from governance.kernel.canonical import Json

DESCRIPTION_CHARACTERS: Final = 2000


class LevelColumns(Protocol):
    """The columns of a version that say what it is called and what it permits."""

    name: str
    rank: int
    description: str
    pairs: list[str]


@dataclass(frozen=True, slots=True)
class LevelContent:
    """All that a version of a consent level says. `pairs` are sorted texts "action:purpose"."""

    name: str
    rank: int
    description: str
    pairs: tuple[str, ...]

    @classmethod
    def of(cls, version: LevelColumns) -> Self:
        """Return what a version says."""
        return cls(version.name, version.rank, version.description, tuple(version.pairs))

    @classmethod
    def from_json(cls, content: Mapping[str, Json]) -> Self:
        """Return the content that `to_json` wrote."""
        pairs, rank = content["pairs"], content["rank"]
        if not isinstance(pairs, list) or not isinstance(rank, int):
            raise TypeError("This is not the content of a consent level.")
        return cls(str(content["name"]), rank, str(content["description"]), tuple(str(pair) for pair in pairs))

    def to_json(self) -> dict[str, Json]:
        """Return the content as plain JSON."""
        return {"name": self.name, "rank": self.rank, "description": self.description, "pairs": [*self.pairs]}

    @property
    def label(self) -> tuple[str, int, str]:
        """What people read of the level, beside what it permits."""
        return self.name, self.rank, self.description


def checked_content(
    *, slug: str, name: str, rank: int, description: str, pairs: Collection[tuple[str, str]]
) -> LevelContent:
    """Return what a version of the level `slug` would say. Raises ConsentLevelInvalid that names the field."""
    check_level(slug=slug, name=name, rank=rank)
    if len(description) > DESCRIPTION_CHARACTERS:
        raise level_invalid("description", f"A description has at most {DESCRIPTION_CHARACTERS} characters.")
    permitted = sorted(f"{action}:{purpose}" for action, purpose in check_pairs(pairs))
    return LevelContent(name=name, rank=rank, description=description, pairs=tuple(permitted))


def direction_of(before: LevelContent | None, after: LevelContent) -> Direction:
    """Return how `after` permits compared with `before`, None for a level that is not there yet."""
    if before is None or not set(after.pairs) <= set(before.pairs):
        return Direction.WIDER
    if set(after.pairs) == set(before.pairs):
        return Direction.LABEL
    return Direction.NARROWER if after.label == before.label else Direction.MIXED


def said_changes(before: LevelContent, after: LevelContent) -> str:
    """Return in words what differs between two versions, such as "permits asset.infer:research; another name"."""
    gained = sorted(set(after.pairs) - set(before.pairs))
    lost = sorted(set(before.pairs) - set(after.pairs))
    parts = [f"permits {', '.join(gained)}"] if gained else []
    parts += [f"no longer permits {', '.join(lost)}"] if lost else []
    fields = (("name", before.name, after.name), ("rank", before.rank, after.rank))
    parts += [f"{name} {after_} instead of {before_}" for name, before_, after_ in fields if before_ != after_]
    parts += ["another description"] if before.description != after.description else []
    return "; ".join(parts) or "nothing"
