"""The OpenAPI document and its page."""

from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from governance.api.catalogue import problem_kinds
from governance.api.problems import MEDIA_TYPE

DOCUMENT = settings.BASE_DIR / "docs" / "openapi.yaml"


@pytest.fixture(scope="module")
def document():
    return SchemaGenerator().get_schema(request=None, public=True)


def operations(document):
    return [operation for path in document["paths"].values() for operation in path.values()]


def test_the_document_is_valid_openapi_3_1(document):
    assert document["openapi"] == "3.1.0"
    validate_schema(document)


def test_the_stored_document_is_the_one_of_the_code():
    written = StringIO()
    call_command("spectacular", stdout=written)
    assert DOCUMENT.read_text() == written.getvalue()


def test_every_operation_has_a_summary_a_tag_and_an_id(document):
    for operation in operations(document):
        assert operation["summary"]
        assert operation["tags"]
        assert operation["operationId"]


def test_every_operation_documents_what_may_always_happen(document):
    for operation in operations(document):
        assert {"500", "503"} <= set(operation["responses"])


def test_every_documented_problem_has_the_status_it_is_documented_under(document):
    kinds = problem_kinds()
    for operation in operations(document):
        for status, response in operation["responses"].items():
            for code in response.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {}):
                assert str(kinds[code].status) == status


def test_the_security_scheme_is_client_credentials_with_a_scope_per_action(document):
    scheme = document["components"]["securitySchemes"]["partnerToken"]
    flow = scheme["flows"]["clientCredentials"]
    assert (scheme["type"], flow["tokenUrl"]) == ("oauth2", "/api/v1/oauth/token")
    assert "asset.infer" in flow["scopes"]


def test_the_page_needs_no_other_server(anonymous):
    page = anonymous.get("/api/docs").content.decode()
    assert "swagger-ui" in page
    assert "https://" not in page


def test_the_document_is_served(anonymous):
    answer = anonymous.get("/api/schema")
    assert answer.status_code == 200
    assert answer.json()["info"]["title"] == "Assent"
