"""Reads Rego source far enough to know every function it calls and every fact it reads.

This is not a full parser: it refuses whatever it does not understand. The grammar is that of the
Rego policy reference (https://www.openpolicyagent.org/docs/policy-reference#grammar).
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

_SCANNER = re.compile(
    r"""(?P<space>[ \t\n]+)
      | (?P<comment>\#[^\n]*)
      | (?P<string>"(?:[^"\\\n]|\\.)*")
      | (?P<raw>`[^`]*`)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
      | (?P<symbol>[.,:;=<>!()\[\]{}|&+*/%-])
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_UNSAFE_RAW = re.compile(r'[\\"\x00-\x1f]')
# A parenthesis after one of these groups an expression; after any other name it calls it.
_VALUES = frozenset(["false", "null", "true"])
_KEYWORDS = _VALUES | {"as", "default", "else", "every", "if", "import", "in", "not", "package", "set", "some", "with"}
_INFIX = frozenset("-+*/%&|=<>!:.")
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the source. `kind` is name, string, raw, number, symbol or other."""

    kind: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function call by its dotted name; an empty name is a call that names no function."""

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What a module calls, defines and reads."""

    calls: tuple[Call, ...]
    defined: frozenset[str]
    facts: frozenset[tuple[str, ...]]
    refusals: tuple[tuple[int, str], ...]


@lru_cache(maxsize=256)
def read_source(source: str) -> SourceReport:
    """Return the calls, own functions and facts (paths below `input`; `()` is all of it) of a module.

    `refusals` are (line, sentence) pairs for whatever this reader or an engine might misread.
    """
    tokens = list(_tokens(source))
    heads, calls = _calls(tokens)
    return SourceReport(
        calls=tuple(calls),
        defined=frozenset(heads),
        facts=frozenset(_fact_paths(tokens)),
        refusals=tuple(_refusals(source, tokens)),
    )


def nesting(source: str) -> int:
    """Return how deep brackets are nested at most; a bracket in a string or comment does not count."""
    depth = deepest = 0
    for token in _tokens(source):
        if token.kind == "symbol":
            depth += (token.text in _OPENING) - (token.text in _CLOSING)
            deepest = max(deepest, depth)
    return deepest


def continued_lines(source: str) -> list[int]:
    """Return the lines that begin with an operator behind a complete operand.

    To OPA such a line goes on with the one before; regopy may take it for a new expression (`- 1 < 0`).
    """
    found = []
    tokens = list(_tokens(source))
    for before, token in pairwise(tokens):
        if token.line > before.line and token.text in _INFIX and _ends_operand(before):
            found.append(token.line)
    return found


def _ends_operand(token: Token) -> bool:
    if token.kind == "symbol":
        return token.text in _CLOSING
    return token.kind != "name" or token.text in _VALUES or token.text not in _KEYWORDS


def _tokens(source: str) -> Iterator[Token]:
    line = 1
    for match in _SCANNER.finditer(source):
        kind, text = str(match.lastgroup), match[0]
        if kind not in ("space", "comment"):
            yield Token(kind, text, line)
        line += text.count("\n")


def _refusals(source: str, tokens: Sequence[Token]) -> Iterator[tuple[int, str]]:
    for match in _CONTROL.finditer(source):
        yield source.count("\n", 0, match.start()) + 1, "control characters are not allowed"
    for index, token in enumerate(tokens):
        sentence = _refusal(tokens, index)
        if sentence:
            yield token.line, sentence


def _refusal(tokens: Sequence[Token], index: int) -> str | None:
    token = tokens[index]
    match token.kind:
        case "other":
            return f"the character {token.text!r} is not allowed here (template strings and open strings are refused)"
        case "string" if not is_canonical_string(token.text):
            return "write the string with the shortest escapes: engines compare strings as written"
        case "raw" if _UNSAFE_RAW.search(token.text):
            return "a raw string may hold no backslash, quote or line break: engines compare strings as written"
        case "name" if token.text == "with" and not _after_dot(tokens, index):
            return "'with' could swap a function for another and is refused"
        case "name" if token.text == "import" and not _after_dot(tokens, index):
            imported = "".join(item.text for item in tokens[index + 1 : index + 4])
            return None if imported == "rego.v1" else "only 'import rego.v1' is allowed"
    return None


def is_canonical_string(literal: str) -> bool:
    """Return whether a quoted string uses only the escapes that JSON needs (RFC 8259 section 7)."""
    try:
        return literal == json.dumps(json.loads(literal), ensure_ascii=False)
    except ValueError:
        return False


def _calls(tokens: Sequence[Token]) -> tuple[set[str], list[Call]]:
    heads: set[str] = set()
    calls: list[Call] = []
    depth = 0
    for index, token in enumerate(tokens):
        if token.kind != "symbol":
            continue
        if token.text == "(" and index:
            name, start = _callee(tokens, index)
            if name is not None and depth == 0 and _begins_statement(tokens, start):
                heads.add(name)
            elif name is not None:
                calls.append(Call(name, token.line))
        depth += (token.text in _OPENING) - (token.text in _CLOSING)
    return heads, calls


def _callee(tokens: Sequence[Token], paren: int) -> tuple[str | None, int]:
    """Return the dotted name before a parenthesis and where it starts; None where the parenthesis only groups.

    The name is empty for a call through anything but names and dots: no list could allow it.
    """
    start = paren - 1
    before = tokens[start]
    if before.kind == "symbol" and before.text not in _CLOSING:
        return None, paren
    if before.kind != "name":
        return "", paren
    if before.text in _KEYWORDS and not _after_dot(tokens, start):
        return None, paren
    parts = [before.text]
    while _after_dot(tokens, start):
        start -= 2
        if start < 0 or tokens[start].kind != "name":
            return "", paren
        parts.insert(0, tokens[start].text)
    return ".".join(parts), start


def _begins_statement(tokens: Sequence[Token], start: int) -> bool:
    if start == 0 or tokens[start - 1].text == "default":
        return True
    before = tokens[start - 1]
    if before.line == tokens[start].line:
        return False
    if before.kind == "symbol":
        return before.text in _CLOSING
    return before.text in _VALUES or before.text not in _KEYWORDS | {"contains"}


def _fact_paths(tokens: Sequence[Token]) -> Iterator[tuple[str, ...]]:
    for index, token in enumerate(tokens):
        if token.kind == "name" and token.text == "input" and not _after_dot(tokens, index):
            yield tuple(_segments(tokens, index + 1))


def _segments(tokens: Sequence[Token], index: int) -> Iterator[str]:
    while index + 1 < len(tokens) and tokens[index].text == "." and tokens[index + 1].kind == "name":
        yield tokens[index + 1].text
        index += 2


def _after_dot(tokens: Sequence[Token], index: int) -> bool:
    return index > 0 and tokens[index - 1].text == "."
