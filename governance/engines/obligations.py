"""The obligations that there are: what each asks for, its parameters, and how it reads.

Rules and licences are checked against these when they are written, so that a misspelt kind never gets as far as a
decision. The workers carry them out: `inference_workers/obligations` has a handler for each kind, by the same name.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

from governance.engines.errors import ObligationsUnmatched
from governance.engines.types import Obligation
from governance.kernel.canonical import Json, canonical_json
from governance.kernel.texts import did_you_mean, is_line


class Parameter(Protocol):
    """One parameter of an obligation. Every parameter has to be given."""

    @property
    def name(self) -> str:
        """Its name among the parameters."""

    @property
    def label(self) -> str:
        """What people call it."""

    @property
    def help(self) -> str:
        """One sentence for whoever fills it in."""

    @property
    def schema(self) -> dict[str, Json]:
        """The JSON Schema (draft 2020-12) of its values."""

    def problem(self, value: Json) -> str | None:
        """Return what is wrong with a value, as a sentence; None where nothing is."""

    def phrase(self, value: Json) -> str:
        """Return a value as it stands in a sentence."""


@dataclass(frozen=True, slots=True)
class LineParameter:
    """One line of printable text, of 1 to `most` characters."""

    name: str
    label: str
    help: str
    most: int

    @property
    def schema(self) -> dict[str, Json]:
        """The JSON Schema of its values. That the characters are printable is checked beyond it."""
        return {"type": "string", "minLength": 1, "maxLength": self.most}

    def problem(self, value: Json) -> str | None:
        """Return what is wrong with a value."""
        if isinstance(value, str) and is_line(value, most=self.most):
            return None
        return f"One line of 1 to {self.most} characters is needed here."

    def phrase(self, value: Json) -> str:
        """Return the text in quotation marks."""
        return canonical_json(value).decode()


@dataclass(frozen=True, slots=True)
class CountParameter:
    """A whole number from `least` to `most`."""

    name: str
    label: str
    help: str
    least: int
    most: int

    @property
    def schema(self) -> dict[str, Json]:
        """The JSON Schema of its values."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}

    def problem(self, value: Json) -> str | None:
        """Return what is wrong with a value."""
        if isinstance(value, int) and not isinstance(value, bool) and self.least <= value <= self.most:
            return None
        return f"A whole number from {self.least} to {self.most} is needed here."

    def phrase(self, value: Json) -> str:
        """Return the number."""
        return str(value)


@dataclass(frozen=True, slots=True)
class ObligationKind:
    """A kind of obligation. `phrase` follows "the output …" in sentences and may name the parameters in braces."""

    kind: str
    title: str
    help: str
    phrase: str
    parameters: tuple[Parameter, ...] = ()

    @property
    def schema(self) -> dict[str, Json]:
        """The JSON Schema (draft 2020-12) of the parameters."""
        return {
            "type": "object",
            "properties": {parameter.name: parameter.schema for parameter in self.parameters},
            "required": [parameter.name for parameter in self.parameters],
            "additionalProperties": False,
        }

    def problems(self, parameters: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
        """Yield (path, sentence) for everything that is wrong with the parameters."""
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in parameters:
            if name not in known:
                takes = f"It takes {', '.join(known)}." if known else "It takes none."
                yield "parameters", f"'{name}' is no parameter of {self.kind}.{did_you_mean(str(name), known)} {takes}"
        for name, parameter in known.items():
            problem = parameter.problem(parameters[name]) if name in parameters else "This is needed."
            if problem:
                yield f"parameters.{name}", problem

    def sentence(self, parameters: Mapping[str, Json]) -> str:
        """Return what the output then does or is, to stand after "the output". The parameters have been checked."""
        return self.phrase.format_map({each.name: each.phrase(parameters[each.name]) for each in self.parameters})


MAX_EDGE: Final = 100_000
MAX_ATTRIBUTION: Final = 500

OBLIGATIONS: Final[Mapping[str, ObligationKind]] = MappingProxyType(
    {
        each.kind: each
        for each in (
            ObligationKind(
                kind="limit_resolution",
                title="Limit the resolution",
                help="The picture is scaled down so that no edge is longer.",
                phrase="has no edge longer than {max_edge} pixels",
                parameters=(CountParameter("max_edge", "Longest edge", "In pixels.", 1, MAX_EDGE),),
            ),
            ObligationKind(
                kind="attribution",
                title="Name the author in the file",
                help="The text is written into the file, where tools show it as its attribution.",
                phrase="names {text} as its author",
                parameters=(LineParameter("text", "Text", "One line, such as the author's name.", MAX_ATTRIBUTION),),
            ),
            ObligationKind(
                kind="embed_provenance",
                title="Write the provenance",
                help="The file says by which job, decision and model it was made.",
                phrase="states its provenance",
            ),
        )
    }
)


def obligation_problems(obligation: Obligation) -> list[tuple[str, str]]:
    """Return (path, sentence) for everything that is wrong with an obligation; [] where it can be carried out.

    A path is `kind`, `parameters`, or a parameter below it.
    """
    known = OBLIGATIONS.get(obligation.kind)
    if known is None:
        hint = did_you_mean(obligation.kind, OBLIGATIONS)
        return [("kind", f"'{obligation.kind}' is no known obligation.{hint} Known: {', '.join(OBLIGATIONS)}.")]
    return list(known.problems(obligation.parameters))


def obligations_phrase(obligations: Sequence[Obligation]) -> str:
    """Return obligations as a phrase, such as "the output names "Ada" as its author and states its provenance".

    One that is not known or not as it should be is named as it is, so that old rules can be shown.
    """
    return f"the output {' and '.join(_sentence(each) for each in obligations)}"


def refuse_unmatched(handlers: Sequence[str]) -> None:
    """Raise ObligationsUnmatched unless the workers' handlers are exactly those of the declared kinds."""
    odd = sorted(set(handlers) ^ set(OBLIGATIONS))
    if odd:
        raise ObligationsUnmatched(f"Declared obligations and the workers' handlers differ: {', '.join(odd)}.")


def _sentence(obligation: Obligation) -> str:
    if obligation_problems(obligation):
        return f"fulfils the obligation '{obligation.kind}', which is not valid"
    return OBLIGATIONS[obligation.kind].sentence(obligation.parameters)
