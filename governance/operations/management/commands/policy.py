"""`manage.py policy`: policy work from the command line, for policies kept in git."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.management import CommandError
from django.core.management.base import BaseCommand, CommandParser

from governance.decisions.models import DecisionRecord
from governance.engines.ports import build_engine, offline_engine
from governance.kernel.errors import GovernanceError
from governance.kernel.json_reading import JsonRefused, read_json_object
from governance.kernel.parsing import parse_object, parse_text
from governance.operations.options import Options
from governance.operations.policy_reports import case_lines, diff_json, diff_lines, explanation_lines
from governance.rulebook.checks import check_policies
from governance.rulebook.compile_rego import compile_rule
from governance.rulebook.content import RevisionContent, build_content, rules_of
from governance.rulebook.custom_rego import custom_modules
from governance.rulebook.diff import compare
from governance.rulebook.draft_checks import check_draft_content
from governance.rulebook.exchange import export_revision, import_revision
from governance.rulebook.preview import describe
from governance.rulebook.queries import find_revision
from governance.rulebook.rules import parse_rule, system_rules
from governance.rulebook.schema import current_schema
from governance.rulebook.services import current_content
from governance.rulebook.yaml_files import POLICIES

NOW, FILES = "now", "files"
WHICH = "a revision number, a digest, 'active', 'now' (the rules as they are) or 'files' (the system rules in git)"


class Command(BaseCommand):
    """Policy work on the command line: `check`, `test`, `compile`, `diff`, `export`, `import`, `explain`."""

    help = "Check, test, compile, compare, export, import and explain policy."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommands and their options."""
        operations = parser.add_subparsers(dest="operation", required=True)
        check = operations.add_parser("check", help="Schema, rules, compilation, built-ins, engines and cases.")
        check.add_argument("which", nargs="?", default=FILES, help=WHICH)
        test = operations.add_parser("test", help="Run every policy case and show each result.")
        test.add_argument("which", nargs="?", default=FILES, help=WHICH)
        test.add_argument("--engine", action="append", help="rego (default), casbin, opa; may be repeated.")
        compiled = operations.add_parser("compile", help="Print the Rego of a rule (JSON on standard input) or of all.")
        compiled.add_argument("which", nargs="?", default=FILES, help=f"{WHICH}, or '-' for standard input")
        compiled.add_argument("--action", help="Only the module of this action.")
        diff = operations.add_parser("diff", help="Show what differs between two revisions.")
        diff.add_argument("before", help=WHICH)
        diff.add_argument("after", nargs="?", default=NOW, help=WHICH)
        diff.add_argument("--rego", action="store_true", help="Compare the Rego modules too.")
        diff.add_argument("--json", action="store_true", help="As one JSON object.")
        export = operations.add_parser("export", help="Export a revision with its signature, without loss.")
        export.add_argument("which", nargs="?", default="active", help="A revision number, a digest or 'active'.")
        export.add_argument("--output", type=Path, help="The file to write; default: standard output.")
        taken = operations.add_parser("import", help="Propose an exported revision as a draft with the same digest.")
        taken.add_argument("file", type=Path)
        taken.add_argument("--user", required=True, help="The console user who proposes the draft.")
        taken.add_argument("--title", default="Imported revision")
        why = operations.add_parser("explain", help="Explain the answer to a question, or a past decision.")
        why.add_argument(
            "decision", nargs="?", type=UUID, help="A decision's id; default: a JSON question on standard input."
        )
        why.add_argument("--which", default="", help=f"{WHICH}; default: the revision that decided, or 'active'")

    def handle(self, *args: object, **given: object) -> None:
        """Run the subcommand. Raises CommandError with what is wrong with the policy or the input."""
        options: Options = {**given}
        operations: dict[str, Callable[[Options], None]] = {
            "check": self._check,
            "test": self._test,
            "compile": self._compile,
            "diff": self._diff,
            "export": self._export,
            "import": self._import,
            "explain": self._explain,
        }
        try:
            operations[options["operation"]](options)
        except GovernanceError as error:
            raise CommandError(error.message) from error
        except OSError as error:
            raise CommandError(str(error)) from error

    def _check(self, options: Options) -> None:
        if options["which"] == FILES:
            files = check_policies(folder=POLICIES, engine=offline_engine.get())
            problems, count = list(files.problems), files.cases
        else:
            content = _content(options["which"])
            report = check_draft_content(text=content.text, digest=content.digest)
            problems, count = report["problems"], len(report["cases"])
        if problems:
            raise CommandError("\n".join(problems))
        self.stdout.write(f"Sound: {count} cases hold.")

    def _test(self, options: Options) -> None:
        content, failed = _content(options["which"]), 0
        for name in options["engine"] or ["rego"]:
            try:
                engine = build_engine(name)
            except LookupError as error:
                raise CommandError(f"There is no engine '{name}'.") from error
            for held, line in case_lines(content=content, engine=engine):
                self.stdout.write(line)
                failed += not held
        if failed:
            raise CommandError(f"{failed} cases failed.")

    def _compile(self, options: Options) -> None:
        if options["which"] == "-":
            spec = parse_rule(_standard_input(), current_schema())
            self.stdout.write(f"# {describe(spec)}\n{compile_rule(spec, current_schema())}")
            return
        modules = parse_object(read_json_object(_content(options["which"]).text)["modules"])
        chosen = [options["action"]] if options["action"] else sorted(modules)
        for action in chosen:
            if action not in modules:
                raise CommandError(f"No rule is about '{action}'.")
            self.stdout.write(parse_text(modules[action]))

    def _diff(self, options: Options) -> None:
        before, after = _content(options["before"]), _content(options["after"])
        diff = compare(before=(before.text, before.digest), after=(after.text, after.digest))
        if options["json"]:
            self.stdout.write(json.dumps(diff_json(diff)))
            return
        self.stdout.writelines(f"{line}\n" for line in diff_lines(diff, rego=options["rego"]))
        if not diff.rules and not diff.modules:
            self.stdout.write("Nothing differs.")

    def _export(self, options: Options) -> None:
        revision = find_revision(options["which"])
        data = export_revision(revision)
        if options["output"] is None:
            self.stdout.write(data.decode())
            return
        options["output"].write_bytes(data)
        self.stdout.write(json.dumps({"revision": revision.number, "digest": revision.digest, "bytes": len(data)}))

    def _import(self, options: Options) -> None:
        user = get_user_model().objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active console user '{options['user']}'.")
        draft = import_revision(data=options["file"].read_bytes(), title=options["title"], user=user)
        self.stdout.write(json.dumps({"draft": draft.number, "digest": draft.digest, "rules": draft.rule_count}))

    def _explain(self, options: Options) -> None:
        if options["decision"] is None:
            questions, which = [_standard_input()], options["which"] or "active"
        else:
            decision = DecisionRecord.objects.filter(pk=options["decision"]).first()
            if decision is None:
                raise CommandError(f"There is no decision {options['decision']}.")
            questions, which = decision.evaluations, options["which"] or decision.revision_digest
        content = _content(which)
        rules = rules_of(text=content.text, digest=content.digest)
        for question in questions:
            lines = explanation_lines(content=content, rules=rules, question=question, engine=offline_engine.get())
            self.stdout.writelines(f"{line}\n" for line in lines)


def _content(which: str) -> RevisionContent:
    if which == NOW:
        return current_content()
    if which == FILES:
        return build_content(schema=current_schema(), system=system_rules(), abac=[], custom=custom_modules())
    revision = find_revision(which)
    return RevisionContent(revision.content, revision.digest, revision.rule_count)


def _standard_input() -> dict[str, object]:
    try:
        return read_json_object(sys.stdin.read())
    except JsonRefused as error:
        raise CommandError(f"The input cannot be read: {error}.") from error
