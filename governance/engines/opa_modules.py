"""The Rego modules that an OPA server runs for a program: those of the actions, and a few around them.

`assent.pdp` answers a batch in one query and says in the same answer which revision decided, so that an answer can
never be taken for another revision's. `system.log` keeps facts out of the decision log, and `system.authz` (for a
server started with `--authorization=basic`) leaves nothing open but that query and the health check.
"""

from governance.engines.types import PACKAGE_ROOT, PolicyProgram, package_of

PDP_PATH = f"{PACKAGE_ROOT}/pdp/answer"
#: The paths that the modules define, which are those that a bundle of them owns.
ROOTS = (PACKAGE_ROOT, "system/authz", "system/log")

_PDP = """\
# Answers a batch of requests for revision {revision}. Compiled, like all in here.
package assent.pdp

revision := "{revision}"

answer := {{
	"answers": [reply(request) | some request in input.requests],
	"revision": revision,
}}
"""
_REPLY = """
reply(request) := decision if {{
	request.action == "{action}"
	decision := data.{package}.decision with input as request.facts
}}
"""
_MASK = """\
# What leaves this server in its decision log: digests, rules and effects, never facts.
package system.log

mask contains "/input/requests"
"""
_AUTHZ = """\
# With --authorization=basic this server answers decisions and health checks, and nothing else.
package system.authz

default allow := false

allow if {
	input.method == "POST"
	input.path == ["v1", "data", "assent", "pdp", "answer"]
}

allow if {
	input.method == "GET"
	input.path[0] == "health"
}
"""


def opa_modules(program: PolicyProgram) -> dict[str, str]:
    """Return the sources by their path in a bundle, formatted as `opa fmt` would."""
    actions = sorted(program.modules)
    sources = {f"{package_of(action).replace('.', '/')}.rego": program.modules[action] for action in actions}
    replies = "".join(_REPLY.format(action=action, package=package_of(action)) for action in actions)
    return {
        **sources,
        f"{PACKAGE_ROOT}/pdp.rego": _PDP.format(revision=program.revision) + replies,
        "system/authz.rego": _AUTHZ,
        "system/log.rego": _MASK,
    }
