"""The public page that checks a receipt. The file that the receipt is about is not uploaded."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from governance.console.downloads import attachment
from governance.console.forms.verification import PublicVerificationForm
from governance.console.verification import check_receipt, trust
from governance.kernel.errors import GovernanceError

#: The size of a receipt with its form data. Anything larger is refused unread.
MAX_BODY_BYTES = 2 * 1024 * 1024
TOO_LARGE = "The upload is larger than any receipt. Send the receipt file only; the file it is about is not needed."
UNAVAILABLE = "Receipts cannot be checked here at the moment. Try again in a minute, or check on your own machine."


@never_cache
@csrf_exempt  # no session is used, so cross-site requests cannot act for anybody
@require_http_methods(["GET", "HEAD", "POST"])
def verify_page(request: HttpRequest) -> HttpResponse:
    """Show the page and, for a receipt that is sent, the verdict on it by this installation's trust file."""
    if request.method != "POST":
        return _page(request, PublicVerificationForm())
    if _length(request) > MAX_BODY_BYTES:
        return _page(request, PublicVerificationForm(), problem=TOO_LARGE, status=413)
    form = PublicVerificationForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form)
    given = form.cleaned_data
    try:
        found = check_receipt(given["receipt"].read(), artifact_sha256=given["artifact_sha256"] or None)
    except GovernanceError:
        return _page(request, form, problem=UNAVAILABLE, status=503)
    return _page(request, form, found=found)


@never_cache
@require_safe
def trust_page(request: HttpRequest) -> HttpResponse:
    """Return the trust file that receipts are checked with here."""
    try:
        return attachment(trust(), "assent-trust.json", "application/json")
    except GovernanceError:
        return _page(request, PublicVerificationForm(), problem=UNAVAILABLE, status=503)


def _page(request: HttpRequest, form: PublicVerificationForm, *, status: int = 200, **more: Any) -> HttpResponse:
    context = {**admin.site.each_context(request), "form": form, "title": "Check a receipt", **more}
    return TemplateResponse(request, "console/public_verify.html", context, status=status)


def _length(request: HttpRequest) -> int:
    """Return the declared length of the body; a server passes on no more than that (PEP 3333)."""
    text = request.META.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isascii() and text.isdigit() else MAX_BODY_BYTES + 1
