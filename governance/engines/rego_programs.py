"""Programs of the embedded Rego engine: built from a module, and asked for its decision."""

from dataclasses import dataclass

from regopy import Interpreter, LogLevel

from governance.engines.builtins import ALLOWED, check_module
from governance.engines.errors import EngineUnavailable, ProgramProblem, ProgramRejected
from governance.engines.rego_input import FactTree, RegoInterpreter, fact_tree
from governance.engines.rego_source import read_source
from governance.engines.types import package_of


@dataclass(frozen=True, slots=True)
class Shard:
    """A built module: an action's own, or one of some of its rules. `whole` is the action's source."""

    whole: str
    entrypoint: str
    interpreter: RegoInterpreter
    bundle: object
    facts: "FactTree | None"


def build_shard(action: str, source: str, whole: str) -> Shard:
    """Return the program of a module. Raises ProgramRejected for what is not allowed, or does not build."""
    problems = check_module(module=action, source=source)
    if problems:
        raise ProgramRejected(problems)
    entrypoint = f"{package_of(action)}.decision".replace(".", "/")
    try:
        interpreter = Interpreter()
        interpreter.log_level = LogLevel.NONE
        # An error inside a built-in must not pass for "the condition does not hold".
        interpreter.strict_built_in_errors = True
        interpreter.add_module(f"{action}.rego", source)
        bundle = interpreter.build(None, [entrypoint])
    except Exception as error:
        raise ProgramRejected([ProgramProblem(action, 0, f"the module does not build: {error}")]) from error
    absent = [name for name in sorted(ALLOWED) if not interpreter.is_builtin(name)]
    if absent:
        raise ProgramRejected([ProgramProblem(action, 0, f"the engine lacks {', '.join(absent)}")])
    return Shard(whole, entrypoint, interpreter, bundle, fact_tree(read_source(source).facts))


def shard_decision(shard: Shard) -> object:
    """Return the decision document for the input that is set. Raises EngineUnavailable where there is no single one."""
    output = shard.interpreter.query_bundle_entrypoint(shard.bundle, shard.entrypoint)
    if not output.ok() or len(output) != 1 or len(output[0].expressions) != 1:
        raise EngineUnavailable("The Rego engine gave no single decision.")
    return output[0].expressions[0]
