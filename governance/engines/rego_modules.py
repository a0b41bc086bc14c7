"""Splits a compiled Rego module into its rules, so that a program can be made of some of them.

Only modules in exactly the form that the rulebook's compiler writes are split; all others are run whole.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

COMPILED = "Compiled from the rulebook: edit the rules, not this."
SECTIONS = ("deny", "permit")
ENDING = """\
default effect := "deny"

effect := "permit" if {
	count(permit) > 0
	count(deny) == 0
}

decision := {
	"denies": deny,
	"effect": effect,
	"permits": permit,
}
"""

_HEAD = re.compile(r'(?P<section>deny|permit) contains "(?P<rule>[a-z0-9-]+)" if \{')
_HELPER = re.compile(r"(?P<name>when_[a-z0-9_]+) if \{")
_REFERENCE = re.compile(r"^\t(?:not )?(when_[a-z0-9_]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ModuleParts:
    """A module's first lines, and the source of each rule by section (`deny`, `permit`) and id, in order of ids."""

    head: str
    rules: Mapping[str, Mapping[str, str]]

    def source_of(self, ids: Collection[str]) -> str:
        """Return the module that holds only these rules."""
        chosen = {section: [self.rules[section][i] for i in ids if i in self.rules[section]] for section in SECTIONS}
        return join_module(self.head, chosen)

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all rules, sorted."""
        return tuple(sorted(rule for section in SECTIONS for rule in self.rules[section]))


def join_module(head: str, rules: Mapping[str, Sequence[str]]) -> str:
    """Return a module of rules by section; a section without rules is the empty set."""
    parts = [head]
    for section in SECTIONS:
        parts += rules[section] or [f"{section} := set()\n"]
    return "\n".join([*parts, ENDING])


def split_module(source: str) -> ModuleParts | None:
    """Return the parts of a module; None when it is not in the compiler's form, or its rules use one another."""
    head, separator, rest = source.partition("\n\n")
    if not separator or not head.partition("\n")[0].endswith(COMPILED) or not rest.endswith(ENDING):
        return None
    rules: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}
    for chunk in _rule_chunks(rest.removesuffix(ENDING)):
        begins = _HEAD.match(chunk.partition("\n")[2])
        if begins is None or begins["rule"] in rules[begins["section"]] or not _stands_alone(chunk, begins):
            return None
        rules[begins["section"]][begins["rule"]] = chunk
    parts = ModuleParts(f"{head}\n", rules)
    return parts if parts.source_of(parts.ids) == source else None


def _rule_chunks(text: str) -> Iterable[str]:
    """Yield the text of each rule: from its comment to the next rule's."""
    chunk: list[str] = []
    for block in text.removesuffix("\n").split("\n\n"):
        if block.startswith("#") and chunk:
            yield _joined(chunk)
            chunk = []
        if block.rstrip("\n") not in [f"{section} := set()" for section in SECTIONS]:
            chunk.append(block)
    if chunk:
        yield _joined(chunk)


def _joined(blocks: Sequence[str]) -> str:
    return "\n\n".join(blocks).rstrip("\n") + "\n"


def _stands_alone(chunk: str, begins: "re.Match[str]") -> bool:
    """Return whether a rule's text defines only the rule and its helpers, and uses no other rule's helpers."""
    own = f"when_{begins['rule'].replace('-', '_')}_"
    for number, block in enumerate(chunk.split("\n\n")):
        line = block.split("\n", 2)[1] if number == 0 else block.partition("\n")[0]
        helper = _HELPER.fullmatch(line)
        if line != begins[0] and (helper is None or not _is_helper(helper["name"], own)):
            return False
    return all(_is_helper(name, own) for name in _REFERENCE.findall(chunk))


def _is_helper(name: str, own: str) -> bool:
    return name.startswith(own) and name.removeprefix(own).isdigit()
