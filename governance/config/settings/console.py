"""How the console looks: name, colours, and the sources of its sidebar, dashboard and notices."""

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy

FORMAT_MODULE_PATH = ["governance.console.formats"]


def _mark(request: HttpRequest) -> str:
    return static("console/mark.svg")


def _stylesheet(request: HttpRequest) -> str:
    return static("console/console.css")


UNFOLD = {
    "SITE_TITLE": "Assent",
    "SITE_HEADER": "Assent",
    "SITE_SUBHEADER": "Governance console",
    "SITE_URL": None,
    "SITE_ICON": _mark,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _mark}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "ENVIRONMENT": "governance.console.notices.environment",
    "DASHBOARD_CALLBACK": "governance.console.dashboard.context",
    "STYLES": [_stylesheet],
    "BORDER_RADIUS": "8px",
    "COLORS": {
        "primary": {
            "50": "oklch(98% .014 185)",
            "100": "oklch(95% .032 186)",
            "200": "oklch(90% .06 187)",
            "300": "oklch(83% .09 188)",
            "400": "oklch(74% .108 189)",
            "500": "oklch(65% .105 190)",
            "600": "oklch(50% .085 193)",
            "700": "oklch(43% .073 195)",
            "800": "oklch(37% .06 198)",
            "900": "oklch(32% .05 201)",
            "950": "oklch(24% .042 205)",
        },
    },
    "ACCOUNT": {"navigation": [{"title": "Second factor and sessions", "link": reverse_lazy("mfa_index")}]},
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "show_all_applications": False,
        "navigation": "governance.console.navigation.sidebar",
    },
    "COMMAND": {
        "search_models": [
            "catalog.Creator",
            "catalog.Asset",
            "jobs.Job",
            "partners.Partner",
            "partners.ApiClient",
            "registry.Model",
            "rulebook.AbacRule",
            "rulebook.PolicyRevision",
        ],
    },
}
