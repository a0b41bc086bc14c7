"""The API against its own document, with generated requests, good and bad: no fault of ours, nothing undocumented."""

from contextlib import closing

import pytest
import schemathesis
from django.core import signals
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from governance.audit.evidence.anchoring import anchor_pending
from governance.audit.types import SubjectRef
from governance.config.wsgi import application
from tests.effort import examples
from tests.factories.catalog import stored_asset
from tests.factories.marketplace import finish
from tests.factories.partners import basic_auth, client_with_secret, raw_token

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def whole_responses(environ, start_response):
    """Close every response, as servers do (PEP 3333); Schemathesis does not."""
    with closing(application(environ, start_response)) as response:
        return [b"".join(response)]


CONFIG = schemathesis.Config.from_dict(
    {"generation": {"mode": "all", "max-examples": examples(10), "deterministic": True, "no-shrink": True}}
)
schema = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(request=None, public=True), config=CONFIG)
schema.app = whole_responses
of_clients = schema.include(path_regex="/oauth/")
of_partners = schema.exclude(path_regex="/oauth/")
in_one_database = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture
def unlimited(settings, market):
    """Return the market with no limit on requests, and keep its transaction open from request to request."""
    settings.ASSENT_TOKEN_REQUESTS_PER_MINUTE = settings.ASSENT_TOKEN_FAILURES_PER_MINUTE = 1_000_000
    market.partner.tier.requests_per_minute = 1_000_000
    market.partner.tier.save()
    moments = [signals.request_started, signals.request_finished]
    for moment in moments:
        moment.disconnect(close_old_connections)
    yield market
    for moment in moments:
        moment.connect(close_old_connections)


@pytest.fixture
def bearer(unlimited) -> dict[str, str]:
    return {"Authorization": f"Bearer {raw_token(unlimited.client)}"}


@pytest.fixture
def secret(unlimited) -> dict[str, str]:
    client, secret = client_with_secret(unlimited.partner)
    return basic_auth(client.client_id, secret)


@of_partners.parametrize()
@in_one_database
def test_with_a_token(case, bearer):
    case.call_and_validate(headers=bearer, checks=CHECKS)


@of_clients.parametrize()
@in_one_database
def test_with_a_client_secret(case, secret):
    case.call_and_validate(headers=secret, checks=CHECKS)


@schema.parametrize()
@in_one_database
def test_as_nobody(case, unlimited):
    case.call_and_validate(checks=CHECKS)


@pytest.fixture
def real(unlimited, bearer):
    """Return ids of real things by path, so that answers of success are looked at too."""
    job = finish(unlimited.submit().job.id)
    anchor_pending()
    own = stored_asset(creator=unlimited.creator, uploaded_by=SubjectRef("partner", str(unlimited.partner.id)))
    return {"jobs": job.id, "decisions": job.admission_id, "assets": own.id, "models": "espcn-x2"}


PATHS = schema.raw_schema["paths"]
READS = [path for path, item in PATHS.items() if path.startswith("/api/v1/") and "get" in item]


@pytest.mark.parametrize("path", READS)
def test_real_things_look_as_documented(path, real, bearer):
    noun = path.split("/")[3]
    case = schema[path]["GET"].Case(path_parameters={"id": real.get(noun), "slug": real.get(noun)})
    answer = case.call_and_validate(headers=bearer, checks=CHECKS)
    assert answer.status_code == 200


@pytest.mark.parametrize(("purpose", "status"), [("commercial", 202), ("research", 403)])
def test_real_jobs_are_answered_as_documented(unlimited, bearer, purpose, status):
    body = {"model": "espcn-x2", "task": "upscale", "purpose": purpose, "inputs": [str(unlimited.asset.id)]}
    operation = schema["/api/v1/jobs"]["POST"]
    case = operation.Case(body=body, headers={"Idempotency-Key": "k"}, media_type="application/json")
    answer = case.call_and_validate(headers=bearer, checks=CHECKS)
    assert answer.status_code == status


def test_a_real_token_is_answered_as_documented(secret):
    operation = schema["/api/v1/oauth/token"]["POST"]
    form = {"grant_type": "client_credentials"}
    case = operation.Case(body=form, media_type="application/x-www-form-urlencoded")
    answer = case.call_and_validate(headers=secret, checks=CHECKS)
    assert answer.status_code == 200
