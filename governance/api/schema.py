"""What the OpenAPI document says beyond what the views say: security schemes, and every problem of every operation.

An operation names the problems of its own with `extensions=problems("code", ...)`; those that follow from its shape (a
body, a path parameter, a bearer token) are added here, so that none is forgotten.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from governance.api.catalogue import ProblemKind, problem_kinds
from governance.api.problems import MEDIA_TYPE, TYPE_PREFIX
from governance.kernel.vocabulary import ACTION_LABELS

EXTENSION = "x-problems"
BEARER = "partnerToken"
CLIENT = "clientSecret"
TOKEN_URL = "/api/v1/oauth/token"  # noqa: S105

ALWAYS = ["internal_error", "database_unavailable"]
OF_TOKENS = ["not_authenticated", "token_invalid", "token_expired", "token_revoked", "partner_suspended"]
OF_COUNTING = ["too_many_requests", "throttle_unavailable"]
OF_BODIES = ["invalid", "body_malformed", "length_required", "body_too_large", "unsupported_media_type"]
OF_QUERIES = ["invalid", "query_invalid"]
OF_PATHS = ["not_found"]

CLIENT_SCHEME = {
    "type": "http",
    "scheme": "basic",
    "description": "The client's id and secret (RFC 6749 section 2.3.1); both may also be sent as form fields.",
}
_TEXT = {"type": "string"}
PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "Where the problem is explained."},
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "code": {"type": "string", "description": "Stable; what programs should look at."},
        "request_id": _TEXT,
        "errors": {
            "type": "array",
            "description": "One entry per field that is not valid.",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {
                    "field": {"type": "string", "description": "Dotted path; empty for the whole input."},
                    "code": _TEXT,
                    "message": _TEXT,
                },
            },
        },
        "details": {"type": "object", "description": "Facts about the problem."},
        "decision_id": {"type": "string", "format": "uuid", "description": "Of a denial: the decision."},
        "job_id": {"type": "string", "format": "uuid", "description": "Of a denial: the job that was denied."},
        "reasons": {
            "type": "array",
            "description": "Of a denial: why.",
            "items": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {"code": _TEXT, "message": _TEXT},
            },
        },
    },
}


def problems(*codes: str) -> dict[str, Any]:
    """Return the `extensions` of `extend_schema` that say which problems of its own an operation has."""
    return {EXTENSION: list(codes)}


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The bearer token of a partner's client, from the client credentials grant (RFC 6749 section 4.4)."""

    target_class = "governance.api.authentication.TokenAuthentication"
    name = BEARER

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """Return the security scheme."""
        scopes = {action.value: label for action, label in ACTION_LABELS.items()}
        return {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": TOKEN_URL, "scopes": scopes}}}


def add_problems(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Postprocessing hook of drf-spectacular: document the problems of every operation."""
    kinds = problem_kinds()
    components = result["components"]
    components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    components.setdefault("securitySchemes", {})[CLIENT] = CLIENT_SCHEME
    named: set[str] = set()
    for operation in _operations(result):
        codes = _codes(operation)
        named |= codes
        _document(operation, [kinds[code] for code in sorted(codes)])
    components["examples"] = {code: _example(kinds[code]) for code in sorted(named)}
    return result


def _operations(result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in result["paths"].values():
        yield from path.values()


def _codes(operation: dict[str, Any]) -> set[str]:
    """Return the codes of all problems that the operation may answer with."""
    codes = {*ALWAYS, *operation.pop(EXTENSION, [])}
    places = {parameter["in"] for parameter in operation.get("parameters", [])}
    schemes = {name for scheme in operation.get("security", []) for name in scheme}
    codes.update(OF_BODIES if "requestBody" in operation else ())
    codes.update(OF_QUERIES if "query" in places else ())
    codes.update(OF_PATHS if "path" in places else ())
    codes.update(OF_TOKENS if BEARER in schemes else ())
    codes.update(OF_COUNTING if schemes else ())
    return codes


def _document(operation: dict[str, Any], kinds: Iterable[ProblemKind]) -> None:
    for kind in kinds:
        response = operation["responses"].setdefault(str(kind.status), {"description": ""})
        content = response.setdefault("content", {}).setdefault(
            MEDIA_TYPE, {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}
        )
        content["examples"][kind.code] = {"$ref": f"#/components/examples/{kind.code}"}
        codes = ", ".join(f"`{code}`" for code in content["examples"])
        response["description"] = f"Problem: {codes}." if len(response["content"]) == 1 else response["description"]
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _example(kind: ProblemKind) -> dict[str, Any]:
    return {
        "summary": kind.title,
        "value": {
            "type": f"{TYPE_PREFIX}{kind.code}",
            "title": kind.title,
            "status": kind.status,
            "detail": kind.description,
            "code": kind.code,
            "request_id": "01997c3e-8f6b-7d5c-9a53-2f1d0c6e4b7a",
        },
    }
