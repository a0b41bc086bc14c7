"""Adds security schemes, and every problem of every operation, to the OpenAPI document made from the views.

An operation names its own problems with `extensions=problems("code", ...)`; those that follow from its shape (a
body, a path parameter, a bearer token) are added here, so that none is forgotten.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, NotRequired, TypedDict

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from governance.api.catalogue import ProblemKind, problem_kinds
from governance.api.errors import NotCovered
from governance.api.problems import MEDIA_TYPE, TYPE_PREFIX
from governance.kernel.vocabulary import TOKEN_ACTION_LABELS
from governance.partners.errors import PartnerSuspended, TokenRevoked

EXTENSION: Final = "x-problems"
BEARER = "partnerToken"
CLIENT = "clientSecret"
TOKEN_URL = "/api/v1/oauth/token"  # noqa: S105

ALWAYS = ["internal_error", "database_unavailable"]
OF_TOKENS = ["not_authenticated", "token_invalid", "token_expired", TokenRevoked.code, PartnerSuspended.code]
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
PROBLEM_SCHEMA: dict[str, object] = {
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


class _Media(TypedDict):
    schema: dict[str, str]
    examples: dict[str, dict[str, str]]


class _Response(TypedDict):
    description: str
    content: NotRequired[dict[str, _Media]]


_Parameter = TypedDict("_Parameter", {"in": str})
_Operation = TypedDict(
    "_Operation",
    {
        "parameters": NotRequired[list[_Parameter]],
        "security": NotRequired[list[dict[str, list[str]]]],
        "requestBody": NotRequired[object],
        "responses": dict[str, _Response],
        "x-problems": NotRequired[list[str]],
    },
)


class _Components(TypedDict, total=False):
    schemas: dict[str, object]
    securitySchemes: dict[str, object]
    examples: dict[str, object]


class Document(TypedDict):
    """The parts of an OpenAPI 3.1 document that are changed here."""

    paths: dict[str, dict[str, _Operation]]
    components: _Components


def problems(*codes: str) -> dict[str, object]:
    """Return the argument `extensions` of `extend_schema` for an operation with these problems of its own."""
    return {EXTENSION: list(codes)}


class NeedSchema(AutoSchema):
    """Describes an operation with what its token must cover."""

    def get_operation(self, *given: Any, **named: Any) -> Any:
        """Return the operation with the need at the end of its description, and the problem of too narrow a token."""
        operation = super().get_operation(*given, **named)
        need = getattr(self.view, "needs", {}).get(self.method)
        if operation and need is not None and need.sentence():
            parts = (operation.get("description", ""), need.sentence())
            operation["description"] = "\n\n".join(part for part in parts if part)
            if need.actions:
                operation[EXTENSION] = [*operation.get(EXTENSION, []), NotCovered.code]
        return operation


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The bearer token of a partner's client, from the client credentials grant (RFC 6749 section 4.4)."""

    target_class = "governance.api.authentication.TokenAuthentication"
    name = BEARER

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, object]:
        """Return the security scheme."""
        flow = {"tokenUrl": TOKEN_URL, "scopes": TOKEN_ACTION_LABELS}
        return {"type": "oauth2", "flows": {"clientCredentials": flow}}


def add_problems(result: Document, **kwargs: object) -> Document:
    """Document the problems of every operation; a postprocessing hook of drf-spectacular."""
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


def _operations(result: Document) -> Iterator[_Operation]:
    for path in result["paths"].values():
        yield from path.values()


def _codes(operation: _Operation) -> set[str]:
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


def _document(operation: _Operation, kinds: Iterable[ProblemKind]) -> None:
    for kind in kinds:
        response = operation["responses"].setdefault(str(kind.status), {"description": ""})
        content = response.setdefault("content", {}).setdefault(
            MEDIA_TYPE, {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}
        )
        content["examples"][kind.code] = {"$ref": f"#/components/examples/{kind.code}"}
        codes = ", ".join(f"`{code}`" for code in content["examples"])
        response["description"] = f"Problem: {codes}." if len(response["content"]) == 1 else response["description"]
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _example(kind: ProblemKind) -> dict[str, object]:
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
