"""The headers that limit what a browser does with an answer are on every answer."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import path

from governance.api.headers import SECURITY_HEADERS
from governance.config import urls as product
from tests.addresses import all_addresses

pytestmark = pytest.mark.django_db


def broken(request):
    raise RuntimeError("an error that nobody expected")


urlpatterns = [path("broken", broken), path("api/broken", broken), *product.urlpatterns]
handler400, handler403 = product.handler400, product.handler403
handler404, handler500 = product.handler404, product.handler500


def missing(client: Client, address: str) -> list[str]:
    """Return the security headers that the answer to a GET lacks or that say something else, with the address."""
    answer = client.get(address)
    answer.close()  # a file of the server
    wrong = [name for name, value in SECURITY_HEADERS.items() if answer.headers.get(name) != value]
    policy = answer.headers.get("Content-Security-Policy", "")
    wrong += [part for part in ("script-src 'self';", "frame-ancestors 'none'") if part not in f"{policy};"]
    return [f"{address}: {each}" for each in wrong]


@pytest.fixture
def visitor() -> Client:
    return Client(raise_request_exception=False)


def test_every_address_answers_strangers_with_the_headers(visitor):
    assert [each for address in all_addresses() for each in missing(visitor, address)] == []


def test_every_address_answers_a_superuser_with_the_headers(visitor):
    visitor.force_login(User.objects.create_superuser("boss"))
    assert [each for address in all_addresses() for each in missing(visitor, address)] == []


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(
    "address",
    ["/broken", "/api/broken", "/nothing", "/api/nothing", "/admin/nothing/", "/static/console/mark.svg", "/static/no"],
)
def test_errors_and_files_have_the_headers(address, visitor):
    assert missing(visitor, address) == []


def test_a_refused_host_has_the_headers(visitor):
    visitor.defaults["HTTP_HOST"] = "elsewhere.example"
    assert missing(visitor, "/") == []


def test_no_script_is_inline_and_none_may_use_eval(visitor):
    policy = visitor.get("/verify").headers["Content-Security-Policy"]
    assert "unsafe-eval" not in policy
    assert "script-src 'self';" in f"{policy};"
    assert "<script>" not in visitor.get("/api/docs").content.decode()
    assert visitor.get("/api/docs?script=").headers["Content-Type"].startswith("application/javascript")
