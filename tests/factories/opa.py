"""A real OPA server for tests, and programs for it."""

from collections.abc import Mapping

import requests

from governance.engines.opa_modules import opa_modules
from governance.engines.types import PolicyProgram


def push(url: str, program: PolicyProgram) -> None:
    """Put a program's modules into a server that pulls no bundles."""
    for path, source in opa_modules(program).items():
        put(url, path, source)


def put(url: str, path: str, source: str) -> None:
    """Put one module into a server."""
    requests.put(f"{url}/v1/policies/{path}", data=source.encode(), timeout=120).raise_for_status()


def clear(url: str) -> None:
    """Take every module out of a server."""
    listed: Mapping[str, list[dict[str, str]]] = requests.get(f"{url}/v1/policies", timeout=120).json()
    for policy in sorted(listed["result"], key=lambda policy: "pdp" not in policy["id"]):
        requests.delete(f"{url}/v1/policies/{policy['id']}", timeout=120).raise_for_status()
