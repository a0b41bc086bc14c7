"""The pages where anybody may read what each kind of signed statement says, and fetch its JSON Schema.

A page has the path of the predicate type that statements name: `https://assent.dev/predicates/upload/v1` is served as
`/predicates/upload/v1`, and its schema beside it as `/predicates/upload/v1.json`.
"""

import hashlib
from collections.abc import Mapping

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import condition, require_safe

from governance.transparency.predicates.catalogue import (
    SCHEMA_MEDIA_TYPE,
    all_predicates,
    as_text,
    find_predicate,
    published_schemas,
)
from governance.transparency.predicates.fields import own_fields, shared_fields

#: A schema changes only with a new version of Assent, and then only so that old statements stay valid.
CACHED = "public, max-age=3600"


@require_safe
def predicates_page(request: HttpRequest) -> HttpResponse:
    """List every predicate type."""
    context = {"title": "Statements", "predicates": all_predicates()}
    return _page(request, "console/public_predicates.html", context)


@require_safe
def predicate_page(request: HttpRequest, name: str) -> HttpResponse:
    """Show what the statements of one predicate type say, field by field, with examples."""
    predicate = find_predicate(name)
    if predicate is None:
        raise Http404
    context = {
        "title": predicate.title,
        "predicate": predicate,
        "own": own_fields(predicate),
        "shared": shared_fields(predicate),
        "examples": [as_text(each) for each in predicate.examples],
    }
    return _page(request, "console/public_predicate.html", context)


def _etag(request: HttpRequest, name: str) -> str | None:
    schema = published_schemas().get(name)
    return None if schema is None else f'"{hashlib.sha256(schema).hexdigest()}"'


@require_safe
@condition(etag_func=_etag)
def predicate_schema(request: HttpRequest, name: str) -> HttpResponse:
    """Return a schema as published. Pages of other sites may read it too: there is no secret in it."""
    schema = published_schemas().get(name)
    if schema is None:
        raise Http404
    headers = {
        "Cache-Control": CACHED,
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    return HttpResponse(schema, content_type=SCHEMA_MEDIA_TYPE, headers=headers)


def _page(request: HttpRequest, template: str, context: Mapping[str, object]) -> HttpResponse:
    return TemplateResponse(request, template, {**admin.site.each_context(request), **context})
