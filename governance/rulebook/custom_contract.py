"""What a hand-written Rego module may be. OPA's parser says what is in it; this says whether that is allowed.

A module may define the permits and denies that its YAML file lists, and helpers of its own. It may read the facts and
its helpers, and call allow-listed functions. Whatever is not known to be harmless is refused, and so is every module
where there is no parser.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings

from governance.engines.builtins import ALLOWED, check_module
from governance.engines.errors import ProgramProblem, ProgramRejected
from governance.engines.rego_modules import SECTIONS, join_module
from governance.engines.rego_source import continued_lines
from governance.engines.rego_tree import (
    OPERATORS,
    Definition,
    ModuleTree,
    ModuleUnreadable,
    Use,
    find_parser,
    read_rules,
    read_tree,
    refuse_uncompilable,
)
from governance.engines.types import Effect, RuleMeta, package_of

_DECISIONS = frozenset({"permit", "deny", "effect", "decision"})
_FOREIGN = re.compile(r"when_|custom_")
NO_PARSER = (
    "hand-written Rego is judged by OPA's parser, and there is no OPA here: run `make opa`, put `opa` (version 1) on "
    "PATH, or name it with ASSENT_OPA"
)


@dataclass(frozen=True, slots=True)
class CustomModule:
    """A hand-written module: the action it adds to, its Rego, and what each of its rules means, by id."""

    name: str
    action: str
    source: str
    rules: Mapping[str, RuleMeta]

    @property
    def helper_prefix(self) -> str:
        """What the names of its helper rules begin with, so that no two modules share a name."""
        return f"custom_{self.name}"

    @property
    def body(self) -> str:
        """Its source below the line with the package. Raises ProgramRejected where there is no such line."""
        lines = self.source.split("\n")
        place = _package_line(lines)
        if place is None or not re.fullmatch(rf"package {re.escape(package_of(self.action))}[ \t]*", lines[place]):
            raise ProgramRejected([_misplaced(self)])
        # To OPA a comment that begins with this word may speak of the package, and may stand only above it.
        below = re.sub(r"#(\s*)METADATA", r"#\1Metadata", "\n".join(lines[place + 1 :]))
        return below.strip("\n") + "\n"


def problems_of(module: CustomModule) -> list[ProgramProblem]:
    """Return what breaks the contract, in order of lines; nothing where the module may be used.

    The package is the action's. Every definition adds `permit contains "id"` or `deny contains "id"` with an id of that
    effect from the YAML file, or is a helper whose name begins with `custom_<name>`. Nothing reads what the package
    decides, the helpers of other rules, or `data`. Functions are those of the allow-list.
    """
    try:
        _ = module.body
        found = [*_unprintable(module), *_continued(module), *check_module(module=module.name, source=module.source)]
        found = found or list(_breaches(module, tree_of(module.source)))
        if not found:
            refuse_uncompilable(module.source, _parser())
    except ProgramRejected as rejected:
        return list(rejected.problems)
    except ModuleUnreadable as refused:
        return [ProgramProblem(module.name, refused.line, str(refused))]
    return sorted(found, key=lambda problem: problem.line)


def shared_names(modules: Sequence[CustomModule]) -> list[ProgramProblem]:
    """Return a problem for every helper that two modules of one action define. The modules have been checked."""
    owners: dict[tuple[str, str], str] = {}
    problems = []
    for module in modules:
        for name in sorted({each.name for each in tree_of(module.source).definitions} - set(Effect)):
            owner = owners.setdefault((module.action, name), module.name)
            if owner != module.name:
                problems.append(ProgramProblem(module.name, 0, f"the module {owner} has a helper '{name}' too"))
    return problems


def tree_of(source: str) -> ModuleTree:
    """Return the syntax tree of a module. Raises ModuleUnreadable, also where there is no parser."""
    return read_tree(source, _parser())


def refuse_other_meaning(module: CustomModule) -> None:
    """Raise ProgramRejected unless the parser finds exactly the module's rules where its body is added.

    Bodies are added behind what every compiled module ends with.
    """
    ending = join_module(f"package {package_of(module.action)}\n", {section: [] for section in SECTIONS})
    try:
        alone = (*read_rules(ending, _parser()), *read_rules(module.source, _parser()))
        same = read_rules(f"{ending}\n{module.body}", _parser()) == alone
    except ModuleUnreadable as refused:
        raise ProgramRejected([ProgramProblem(module.name, refused.line, str(refused))]) from refused
    if not same:
        raise ProgramRejected([ProgramProblem(module.name, 0, "behind the compiled rules it means something else")])


def _parser() -> str:
    parser = find_parser(settings.ASSENT_OPA, (str(settings.BASE_DIR / "var" / "tools" / "opa"), "opa"))
    if parser is None:
        raise ModuleUnreadable(NO_PARSER)
    return parser


def _breaches(module: CustomModule, tree: ModuleTree) -> Iterator[ProgramProblem]:
    def problem(line: int, sentence: str) -> ProgramProblem:
        return ProgramProblem(module.name, line, sentence)

    if tree.package != package_of(module.action):
        yield _misplaced(module)
    allowed = f"a module adds permits and denies that its YAML file lists, or helpers named {module.helper_prefix}..."
    yield from (problem(line, f"{allowed}, and imports nothing") for line in tree.imports)
    added = {each.member for each in tree.definitions if _adds(module, each)}
    own = {each.name for each in tree.definitions if each.name.startswith(module.helper_prefix)}
    functions = {each.name for each in tree.definitions if each.is_function} & own
    for each in tree.definitions:
        if each.is_default or (each.name not in own and not _adds(module, each)):
            yield problem(each.line, allowed)
        yield from (problem(use.line, wrong) for use in each.reads if (wrong := _misread(use, own)))
        yield from (problem(use.line, wrong) for use in each.calls if (wrong := _miscalled(use, functions)))
    yield from (problem(0, f"nothing adds the rule '{rule_id}'") for rule_id in sorted(set(module.rules) - added))


def _adds(module: CustomModule, definition: Definition) -> bool:
    """Return whether a definition adds a rule that the module may add."""
    meta = module.rules.get(definition.member) if definition.member is not None else None
    return meta is not None and definition.name == meta.effect.value


def _misread(use: Use, own: set[str]) -> str | None:
    if use.name == "data" or use.name in _DECISIONS:
        return f"a module may not read '{use.name}'"
    if _FOREIGN.match(use.name) and use.name not in own:
        return f"'{use.name}' is no helper of this module"
    if use.bound and (use.name == "input" or use.name in own):
        return f"'{use.name}' may not be given another value"
    return None


def _miscalled(use: Use, functions: set[str]) -> str | None:
    if use.name in ALLOWED or use.name in OPERATORS or use.name in functions:
        return None
    return f"'{use.name}' is not on the list of allowed functions" if use.name else "a function is called by its name"


def _unprintable(module: CustomModule) -> Iterator[ProgramProblem]:
    for number, line in enumerate(module.source.split("\n"), 1):
        if not line.replace("\t", " ").isprintable():
            yield ProgramProblem(module.name, number, "control characters and characters that do not show are refused")


def _continued(module: CustomModule) -> Iterator[ProgramProblem]:
    for line in continued_lines(module.source):
        yield ProgramProblem(module.name, line, "a line may not begin with an operator; end the line before with it")


def _package_line(lines: Sequence[str]) -> int | None:
    """Return the index of the first line that is neither blank nor a comment."""
    return next((number for number, line in enumerate(lines) if line.strip(" \t") and not line.startswith("#")), None)


def _misplaced(module: CustomModule) -> ProgramProblem:
    return ProgramProblem(module.name, 1, f"the module must begin with 'package {package_of(module.action)}'")
