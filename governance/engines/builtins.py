"""Which functions a policy module may call.

Those that are pure, deterministic, and present in every Rego engine that runs here. In an engine that lacks a function,
a call of it is undefined and not an error, so a deny rule with that call would silently not match. Hence the list.
"""

from collections.abc import Iterator

from governance.engines.errors import ProgramProblem
from governance.engines.rego_source import Call, SourceReport, read_source

ALLOWED = frozenset(
    {
        "abs",
        "array.concat",
        "array.reverse",
        "array.slice",
        "ceil",
        "concat",
        "contains",
        "count",
        "endswith",
        "floor",
        "indexof",
        "intersection",
        "is_array",
        "is_boolean",
        "is_null",
        "is_number",
        "is_object",
        "is_set",
        "is_string",
        "lower",
        "max",
        "min",
        "object.get",
        "object.keys",
        "replace",
        "round",
        "sort",
        "split",
        "startswith",
        "sum",
        "trim_prefix",
        "trim_suffix",
        "union",
        "upper",
    }
)

# Never allowed; listed so that the refusal gives the reason.
_DANGERS = {
    "http": "it reaches the network",
    "net": "it reaches the network",
    "opa": "it reveals the process environment",
    "providers": "it handles credentials",
    "trace": "it writes to the log",
    "print": "it writes to the log",
    "rand": "its answer changes from call to call",
    "uuid": "its answer changes from call to call",
    "time": "its answer depends on the machine; use the attribute request.time",
}


def check_module(*, module: str, source: str) -> list[ProgramProblem]:
    """Return what is refused in a module, in order of lines; nothing when it may be used."""
    report = read_source(source)
    problems = [ProgramProblem(module, line, sentence) for line, sentence in report.refusals]
    problems += [ProgramProblem(module, call.line, sentence) for call, sentence in _refused_calls(report)]
    problems += [
        ProgramProblem(module, 0, f"the function name '{name}' is taken by, or looks like, a built-in one")
        for name in sorted(report.defined)
        if _is_reserved(name)
    ]
    return sorted(problems, key=lambda problem: problem.line)


def _refused_calls(report: SourceReport) -> Iterator[tuple[Call, str]]:
    for call in report.calls:
        root = call.name.partition(".")[0]
        if call.name in ALLOWED or (call.name in report.defined and not _is_reserved(call.name)):
            continue
        if not call.name:
            yield call, "a function may be called only by its plain name"
        elif root in _DANGERS:
            yield call, f"'{call.name}' is not allowed: {_DANGERS[root]}"
        else:
            yield call, f"'{call.name}' is not on the list of allowed functions"


def _is_reserved(name: str) -> bool:
    return not name.isidentifier() or name in ALLOWED or name in _DANGERS
