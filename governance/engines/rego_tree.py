"""The syntax tree of a Rego module, as OPA's parser gives it (`opa parse --format json`).

What a module defines and reads is taken from the parser of Open Policy Agent itself, not from how the text looks: the
grammar lets a definition begin after any closing brace. The tree is that of
https://pkg.go.dev/github.com/open-policy-agent/opa/v1/ast. A kind of node that this reader does not know refuses the
module. The parser is another program; it runs with limits of size, nesting, time, memory and output, and without our
environment.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from governance.engines.rego_source import nesting
from governance.kernel.canonical import canonical_json
from governance.kernel.json_reading import ANY_INTEGER, read_json

MAX_BYTES: Final = 32 * 1024
MAX_NESTING: Final = 30
#: How deep the parser's answer may be: a few levels for each of the source.
MAX_DEPTH: Final = 500
SECONDS: Final = 10
_MEMORY_KIB: Final = 4 * 1024 * 1024
_OUTPUT_BLOCKS: Final = 64 * 1024  # of 512 bytes
# POSIX sh sets the limits (2.14 ulimit), and becomes the parser.
_LIMITED: Final = f'ulimit -t {SECONDS} && ulimit -v {_MEMORY_KIB} && ulimit -f {_OUTPUT_BLOCKS} && exec "$0" "$@"'
_PARSE: Final = ("parse", "--format", "json", "--json-include", "locations,-comments")
_CHECK: Final = ("check", "--format", "json")
_EXPRESSION: Final = {"index", "terms", "negated", "generated", "location"}
_RULE: Final = {"head", "body", "else", "default", "location", "annotations"}
_HEAD: Final = {"name", "ref", "args", "key", "value", "assign", "location"}
_MODULE: Final = {"package", "imports", "rules", "comments", "annotations"}

#: Operators and `in`, under the names that the tree has for them.
OPERATORS: Final = frozenset(
    {
        *("assign", "eq", "equal", "neq", "lt", "lte", "gt", "gte"),
        *("plus", "minus", "mul", "div", "rem", "and", "or"),
        *("internal.member_2", "internal.member_3"),
    }
)


class ModuleUnreadable(Exception):
    """The parser, or this reader, refuses a module. `line` counts from 1; 0 means the module as a whole."""

    def __init__(self, sentence: str, line: int = 0) -> None:
        super().__init__(sentence)
        self.line = line


@dataclass(frozen=True, slots=True)
class Use:
    """A name that is read or called. `bound` says that it stands where a name gets its value."""

    name: str
    line: int
    bound: bool = False


@dataclass(frozen=True, slots=True)
class Definition:
    """One rule or function, with each of its `else` branches: its name, and everything in it that is read or called.

    `member` is the constant of `name contains "constant" if …`, and None for every other form of head.
    """

    name: str
    line: int
    is_function: bool
    is_default: bool
    member: str | None
    reads: tuple[Use, ...]
    calls: tuple[Use, ...]


@dataclass(frozen=True, slots=True)
class ModuleTree:
    """A module: its package, the lines of its imports, and its definitions."""

    package: str
    imports: tuple[int, ...]
    definitions: tuple[Definition, ...]


def find_parser(named: str, places: Sequence[str]) -> str | None:
    """Return the path of the OPA that `named` names, else of the first in `places`; None where there is none."""
    candidates = (named,) if named else places
    return next((found for each in candidates if (found := shutil.which(each))), None)


@lru_cache(maxsize=64)
def read_tree(source: str, parser: str) -> ModuleTree:
    """Return the tree of a module by the OPA at `parser`. Raises ModuleUnreadable."""
    try:
        return _module(_parsed(source, parser))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _odd_answer(error) from error


@lru_cache(maxsize=64)
def read_rules(source: str, parser: str) -> tuple[bytes, ...]:
    """Return the rules of a module, each as canonical JSON without its place. Raises ModuleUnreadable."""
    try:
        return tuple(canonical_json(_bare(rule)) for rule in _list(_parsed(source, parser).get("rules") or []))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _odd_answer(error) from error


def _odd_answer(error: Exception) -> ModuleUnreadable:
    return ModuleUnreadable(f"the parser's answer cannot be read: {type(error).__name__}")


def _parsed(source: str, parser: str) -> dict[str, object]:
    """Return the parser's answer. Raises ModuleUnreadable, and ValueError or TypeError for what is no JSON object."""
    if len(source.encode("utf-8", "replace")) > MAX_BYTES:
        raise ModuleUnreadable(f"a module has at most {MAX_BYTES} bytes")
    if nesting(source) > MAX_NESTING:
        raise ModuleUnreadable(f"brackets are nested deeper than {MAX_NESTING}")
    return _object(_json(_output(source, parser, _PARSE)))


@lru_cache(maxsize=64)
def refuse_uncompilable(source: str, parser: str) -> None:
    """Raise ModuleUnreadable unless OPA compiles a module that stands alone.

    Its compiler finds what its parser does not: names that nothing defines, names that are declared twice, rules that
    need themselves. To regopy some of these are undefined, so that a denial would silently never match.
    """
    _output(source, parser, _CHECK)


def _output(source: str, parser: str, command: Sequence[str]) -> str:
    """Return what OPA prints about a module. Raises ModuleUnreadable, also when it is not accepted."""
    with tempfile.TemporaryDirectory(prefix="assent-rego-") as folder, tempfile.TemporaryFile() as output:
        place = Path(folder) / "module.rego"
        place.write_text(source, encoding="utf-8", newline="")
        try:
            done = subprocess.run(  # noqa: S603 - the parser that this installation was given
                ["/bin/sh", "-c", _LIMITED, parser, *command, str(place)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={"HOME": folder, "GOMAXPROCS": "1"},
                cwd=folder,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ModuleUnreadable(f"OPA needed longer than {SECONDS} s to parse it") from error
        except OSError as error:
            raise ModuleUnreadable(f"OPA does not run: {error}") from error
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
        if done.returncode != 0:
            raise _refusal(text)
        return text


def _json(text: str) -> object:
    return read_json(text, depth=MAX_DEPTH, max_integer=ANY_INTEGER)


def _refusal(text: str) -> ModuleUnreadable:
    try:
        found = _object(_list(_object(_json(text))["errors"])[0])
        return ModuleUnreadable(f"OPA refuses it: {found['message']}", _line(found))
    except (ValueError, KeyError, TypeError, IndexError):
        return ModuleUnreadable("OPA cannot read it within its limits of time and memory")


def _module(data: Mapping[str, object]) -> ModuleTree:
    _known(data, _MODULE, "a part of the module")
    path = _list(_object(data["package"])["path"])
    rules = [_object(rule) for rule in _list(data.get("rules") or [])]
    return ModuleTree(
        package=".".join(str(_object(part)["value"]) for part in path[1:]),
        imports=tuple(_line(_object(each)) for each in _list(data.get("imports") or [])),
        definitions=tuple(definition for rule in rules for definition in _definitions(rule)),
    )


def _definitions(rule: Mapping[str, object]) -> Iterator[Definition]:
    _known(rule, _RULE, "a rule")
    head = _object(rule["head"])
    _known(head, _HEAD, "a head of a rule")
    ref = [_object(part) for part in _list(head["ref"])]
    if ref[0].get("type") != "var":
        raise ModuleUnreadable("a rule is named by a plain name", _line(head))
    walk = _Walk()
    for part in ref[1:]:
        walk.term(part)
    for argument in _list(head.get("args") or []):
        walk.term(_object(argument), bound=True)
    for name in ("key", "value"):
        if name in head:
            walk.term(_object(head[name]))
    walk.body(rule["body"])
    yield Definition(
        name=str(ref[0]["value"]),
        line=_line(head),
        is_function="args" in head,
        is_default="default" in rule,
        member=_member(head, ref, rule),
        reads=tuple(walk.reads),
        calls=tuple(walk.calls),
    )
    if "else" in rule:
        yield from _definitions(_object(rule["else"]))


def _member(head: Mapping[str, object], ref: Sequence[object], rule: Mapping[str, object]) -> str | None:
    key = head.get("key")
    if len(ref) != 1 or not {"args", "value", "assign"}.isdisjoint(head) or "else" in rule or not isinstance(key, dict):
        return None
    value = key.get("value")
    return value if key.get("type") == "string" and isinstance(value, str) else None


class _Walk:
    """Goes through bodies and terms, and collects every name that is read or called."""

    def __init__(self) -> None:
        self.reads: list[Use] = []
        self.calls: list[Use] = []
        self._in_every = False

    def body(self, body: object) -> None:
        """Go through the expressions of a body."""
        for expression in _list(body):
            self.expression(_object(expression))

    def expression(self, expression: Mapping[str, object]) -> None:
        """Go through one line of a body."""
        if "with" in expression:
            raise ModuleUnreadable("'with' could swap a function for another and is refused", _line(expression))
        _known(expression, _EXPRESSION, "an expression")
        terms = expression["terms"]
        if isinstance(terms, list):
            self.call(terms, _line(expression))
        elif "type" in _object(terms):
            self.term(_object(terms))
        else:
            self.declaration(_object(terms))

    def declaration(self, terms: Mapping[str, object]) -> None:
        """Go through `some …` or `every … in … { … }`."""
        if "symbols" in terms:
            _known(terms, {"symbols", "location"}, "'some'")
            for symbol in _list(terms["symbols"]):
                self.term(_object(symbol), bound=True)
            return
        _known(terms, {"key", "value", "domain", "body", "location"}, "'every'")
        if self._in_every:
            # regopy loses the outer names there, and gives no answer.
            raise ModuleUnreadable(
                "'every' inside another 'every' is refused: engines take it differently", _line(terms)
            )
        for name in ("key", "value"):
            if terms.get(name) is not None:
                self.term(_object(terms[name]), bound=True)
        self.term(_object(terms["domain"]))
        self._in_every = True
        self.body(terms["body"])
        self._in_every = False

    def call(self, terms: Sequence[object], line: int, *, declared: bool = False) -> None:
        """Go through a call. `:=` gives what is before it a value, and `some … in …` all but its last operand."""
        name = _callee(_object(terms[0]))
        self.calls.append(Use(name, line))
        for place, argument in enumerate(terms[1:], 1):
            bound = place < len(terms) - 1 if declared else name == "assign" and place == 1
            self.term(_object(argument), bound=bound)

    def term(self, term: Mapping[str, object], *, bound: bool = False) -> None:
        """Go through a term; `bound` where names in it get their values."""
        _known(term, {"type", "value", "location"}, "a term")
        kind, value, line = term["type"], term.get("value"), _line(term)
        match kind:
            case "null" | "boolean" | "number" | "string":
                return
            case "var":
                self.reads.append(Use(str(value), line, bound))
            case "ref":
                first, *rest = [_object(part) for part in _list(value)]
                self.term(first, bound=bound and not rest)
                for part in rest:
                    self.term(part)
            case "call":
                self.call(_list(value), line, declared=bound)
            case "array" | "set":
                for member in _list(value):
                    self.term(_object(member), bound=bound)
            case "object":
                for pair in _list(value):
                    key, item = _list(pair)
                    self.term(_object(key))
                    self.term(_object(item), bound=bound)
            case "arraycomprehension" | "setcomprehension" | "objectcomprehension":
                self.comprehension(_object(value))
            case _:
                raise ModuleUnreadable(f"a {kind} is not allowed", line)

    def comprehension(self, value: Mapping[str, object]) -> None:
        """Go through `[… | …]` and its like."""
        _known(value, {"term", "key", "value", "body"}, "a comprehension")
        for name in ("term", "key", "value"):
            if name in value:
                self.term(_object(value[name]))
        self.body(value["body"])


def _callee(term: Mapping[str, object]) -> str:
    """Return the dotted name of what is called; empty where it is not named by plain names."""
    parts = [_object(part) for part in _list(term["value"])] if term.get("type") == "ref" else []
    kinds = [part.get("type") for part in parts]
    if not parts or kinds[0] != "var" or any(kind != "string" for kind in kinds[1:]):
        return ""
    return ".".join(str(part["value"]) for part in parts)


def _bare(value: object) -> object:
    """Return a node without places and comments."""
    if isinstance(value, dict):
        return {key: _bare(item) for key, item in value.items() if key not in ("location", "annotations")}
    return [_bare(item) for item in value] if isinstance(value, list) else value


def _known(node: Mapping[str, object], keys: set[str], noun: str) -> None:
    odd = sorted(set(node) - keys)
    if odd:
        raise ModuleUnreadable(f"{noun} of this form is not allowed ({', '.join(odd)})", _line(node))


def _line(node: Mapping[str, object]) -> int:
    place = node.get("location")
    row = place.get("row") if isinstance(place, dict) else 0
    return row if isinstance(row, int) else 0


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError("an object is needed")
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("a list is needed")
    return value
