"""Write what signed statements say to `docs/predicates.md`, or say whether the page there is current."""

import sys
from collections.abc import Iterable, Iterator

from governance.transparency.predicates.catalogue import Predicate, all_predicates, as_text
from governance.transparency.predicates.fields import Field, own_fields, shared_fields
from scripts.stack.places import ROOT

PAGE = ROOT / "docs" / "predicates.md"
INTRODUCTION = """\
# Predicates: what signed statements say

<!-- Written by `make predicates` from governance/transparency/predicates/. Change the schemas there, not this page. -->

Every [receipt](receipts.md) holds one signed statement. Its `predicateType` says which kind of statement it is. What
all kinds have in common is in [The statement](receipts.md#the-statement); what each of them says is here.

Every installation serves the same for everybody, without an account: the list at `/predicates/`, a page for each kind
at the path of its type, such as `/predicates/upload/v1`, and beside it the JSON Schema (draft 2020-12) of the whole
statement, `/predicates/upload/v1.json`. A schema is complete in itself, and pages of other sites may fetch it.

To validate a statement, with `pip install jsonschema`:

    curl -O https://assent.example/predicates/upload/v1.json
    jq -r .envelope.payload receipt.json | base64 -d > statement.json
    python -c 'from json import load; from jsonschema import validate
    validate(load(open("statement.json")), load(open("v1.json")))'

That a statement fits its schema says nothing about who made it; the [verifier](receipts.md#checking-one) does.

A version keeps its meaning. Its schema may gain optional members and new values of a named set, and every statement
signed under it stays valid. A change that would break one is a new version, at an address of its own.
"""


def page() -> str:
    """Return the page as the schemas have it."""
    return "\n".join([INTRODUCTION, *_index(all_predicates()), *(_section(each) for each in all_predicates())])


def _index(predicates: Iterable[Predicate]) -> Iterator[str]:
    yield "| kind | says |\n|---|---|"
    for each in predicates:
        yield f"| [`{each.name}`](#{each.name.replace('/', '')}) | {each.description} |"
    yield ""


def _section(predicate: Predicate) -> str:
    subject = next(each for each in shared_fields(predicate) if each.path == "subject")
    example = as_text(predicate.examples[0]).strip()
    return (
        f"## {predicate.name}\n\n{predicate.description}\n\nSubject: {subject.description}\n\n"
        f"| member of the predicate | holds | meaning |\n|---|---|---|\n{_rows(own_fields(predicate))}\n\n"
        f"<details><summary>Example</summary>\n\n```json\n{example}\n```\n\n</details>\n"
    )


def _rows(fields: Iterable[Field]) -> str:
    return "\n".join(
        f"| `{each.path}` | {each.holds}{'' if each.required else ', optional'} | {each.description} |"
        for each in fields
    )


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` only compare; the exit code is 0 when it is current."""
    current = page()
    if "--check" in arguments:
        same = PAGE.exists() and PAGE.read_text(encoding="utf-8") == current
        print("docs/predicates.md is current" if same else "Run `make predicates` and commit docs/predicates.md.")
        return 0 if same else 1
    PAGE.write_text(current, encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
