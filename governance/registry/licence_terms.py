"""What a version of a licence says, and when one is provably narrower than another."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol, Self

from governance.catalog.choices import Direction
from governance.catalog.terms import SLUG
from governance.engines.obligations import obligation_problems
from governance.engines.types import Obligation
from governance.kernel.canonical import Json, canonical_json, timestamp, to_json_value
from governance.kernel.regions import REGIONS
from governance.kernel.texts import is_line
from governance.kernel.vocabulary import Purpose
from governance.registry.errors import LicenceInvalid

NAME_CHARACTERS: Final = 200
TERMS_URL_CHARACTERS: Final = 200
OBLIGATION_BYTES: Final = 8 * 1024
_LISTS: Final = ("purposes", "regions", "partners")


class LicenceColumns(Protocol):
    """The columns of a version that say what a licence is called and what it permits."""

    name: str
    purposes: list[str]
    regions: list[str]
    partners: list[str]
    valid_from: datetime
    valid_until: datetime | None
    obligations: list[dict[str, Json]]
    terms_url: str


@dataclass(frozen=True, slots=True)
class LicenceContent:
    """All that a version of a licence says. Empty `regions` means everywhere, empty `partners` every partner."""

    name: str
    purposes: tuple[str, ...]
    regions: tuple[str, ...]
    partners: tuple[str, ...]
    valid_from: datetime
    valid_until: datetime | None
    obligations: tuple[Mapping[str, Json], ...]
    terms_url: str

    @classmethod
    def of(cls, version: LicenceColumns) -> Self:
        """Return what a version says."""
        return cls(
            name=version.name,
            purposes=tuple(version.purposes),
            regions=tuple(version.regions),
            partners=tuple(version.partners),
            valid_from=version.valid_from,
            valid_until=version.valid_until,
            obligations=tuple(version.obligations),
            terms_url=version.terms_url,
        )

    @classmethod
    def from_json(cls, content: Mapping[str, Json]) -> Self:
        """Return the content that `to_json` wrote."""
        purposes, regions, partners = (_texts(content[name]) for name in _LISTS)
        obligations, until = content["obligations"], content["valid_until"]
        if not isinstance(obligations, list):
            raise TypeError("This is not the content of a licence.")
        return cls(
            name=str(content["name"]),
            purposes=purposes,
            regions=regions,
            partners=partners,
            valid_from=datetime.fromisoformat(str(content["valid_from"])),
            valid_until=datetime.fromisoformat(str(until)) if until is not None else None,
            obligations=tuple(each for each in obligations if isinstance(each, dict)),
            terms_url=str(content["terms_url"]),
        )

    def to_json(self) -> dict[str, Json]:
        """Return the content as plain JSON."""
        return {
            "name": self.name,
            "purposes": [*self.purposes],
            "regions": [*self.regions],
            "partners": [*self.partners],
            "valid_from": timestamp(self.valid_from),
            "valid_until": timestamp(self.valid_until) if self.valid_until is not None else None,
            "obligations": to_json_value(list(self.obligations)),
            "terms_url": self.terms_url,
        }

    @property
    def label(self) -> tuple[str, str]:
        """What people read of the licence, beside what it permits."""
        return self.name, self.terms_url


def checked_licence(*, slug: str, content: LicenceContent) -> LicenceContent:
    """Return the content with sorted lists without repetition. Raises LicenceInvalid that names the field."""
    if not SLUG.fullmatch(slug):
        raise _invalid("slug", "A slug has 1 to 50 letters, digits, hyphens or underscores.")
    if not is_line(content.name, most=NAME_CHARACTERS):
        raise _invalid("name", f"A name has 1 to {NAME_CHARACTERS} printable characters.")
    _known("purposes", content.purposes, frozenset(Purpose))
    _known("regions", content.regions, REGIONS)
    if not all(SLUG.fullmatch(partner) for partner in content.partners):
        raise _invalid("partners", "A partner is named by its slug.")
    if content.valid_until is not None and content.valid_until <= content.valid_from:
        raise _invalid("valid_until", "The end must be after the start.")
    if not all(_is_obligation(each) for each in content.obligations):
        raise _invalid("obligations", 'A list of objects with "kind" and, where needed, "parameters".')
    refuse_bad_obligations(content)
    if len(canonical_json(content.to_json()["obligations"])) > OBLIGATION_BYTES:
        raise _invalid("obligations", f"The obligations may have at most {OBLIGATION_BYTES} bytes.")
    if len(content.terms_url) > TERMS_URL_CHARACTERS:
        raise _invalid("terms_url", f"An address has at most {TERMS_URL_CHARACTERS} characters.")
    lists = {name: sorted(set(getattr(content, name))) for name in _LISTS}
    return LicenceContent.from_json({**content.to_json(), **lists})


def refuse_bad_obligations(content: LicenceContent) -> None:
    """Raise LicenceInvalid for an obligation that is not known, or has other parameters than it takes."""
    problems = [
        f"{index}. {sentence}"
        for index, each in enumerate(obligations_of(content.obligations), 1)
        for _, sentence in obligation_problems(each)
    ]
    if problems:
        raise _invalid("obligations", " ".join(problems))


def obligations_of(data: Sequence[Mapping[str, Json]]) -> list[Obligation]:
    """Return the obligations that a licence lists, in their typed form."""
    parameters = [each.get("parameters") for each in data]
    return [
        Obligation(str(each["kind"]), given if isinstance(given, dict) else {})
        for each, given in zip(data, parameters, strict=True)
    ]


def permits_no_more(before: LicenceContent, after: LicenceContent) -> bool:
    """Return whether everything that `after` permits is permitted by `before`, with at least its obligations."""
    return (
        set(after.purposes) <= set(before.purposes)
        and _within(after.regions, before.regions)
        and _within(after.partners, before.partners)
        and after.valid_from >= before.valid_from
        and _ends_no_later(after.valid_until, before.valid_until)
        and _each(before.obligations) <= _each(after.obligations)
    )


def direction_of_licence(before: LicenceContent | None, after: LicenceContent) -> Direction:
    """Return how `after` permits compared with `before`, None for a licence that is not there yet."""
    if before is None or not permits_no_more(before, after):
        return Direction.WIDER
    if permits_no_more(after, before):
        return Direction.LABEL
    return Direction.NARROWER if after.label == before.label else Direction.MIXED


def licence_changes(before: LicenceContent, after: LicenceContent) -> str:
    """Return in words which fields differ between two versions."""
    old, new = before.to_json(), after.to_json()
    changed = [name.replace("_", " ") for name in old if old[name] != new[name]]
    return f"another {', '.join(changed)}" if changed else "nothing"


def _within(after: Collection[str], before: Collection[str]) -> bool:
    """Return whether a list is within another, where an empty one stands for all."""
    return not before or (bool(after) and set(after) <= set(before))


def _ends_no_later(after: datetime | None, before: datetime | None) -> bool:
    return before is None or (after is not None and after <= before)


def _each(obligations: Sequence[Mapping[str, Json]]) -> set[bytes]:
    return {canonical_json(each) for each in obligations}


def _is_obligation(each: Mapping[str, Json]) -> bool:
    parameters = each.get("parameters", {})
    return isinstance(each.get("kind"), str) and set(each) <= {"kind", "parameters"} and isinstance(parameters, dict)


def _known(field: str, values: Collection[str], known: Collection[str]) -> None:
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise _invalid(field, f"Unknown: {', '.join(unknown)}.")


def _texts(value: Json) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError("This is not the content of a licence.")
    return tuple(str(each) for each in value)


def _invalid(field: str, message: str) -> LicenceInvalid:
    return LicenceInvalid(message, details={"field": field})
