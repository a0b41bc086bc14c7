"""Which requests are authenticated, and what their token must cover.

Whether something may be done is decided by policy, not here.
"""

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from governance.api.errors import NotCovered
from governance.api.needs import ANY_TOKEN, Declaring, require
from governance.partners.types import TokenGrant


class HasPartnerToken(BasePermission):
    """Lets requests through that carry a partner's live token which covers what the view needs."""

    def has_permission(self, request: Request, view: Declaring) -> bool:  # type: ignore[override]
        """Return whether authentication found such a token. Raises NotCovered for one that covers too little.

        A method without a declared need is refused; one that the view does not have is left to be answered as such.
        """
        if not isinstance(request.auth, TokenGrant):
            return False
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method == "OPTIONS" or not hasattr(view, method.lower()):
            need = ANY_TOKEN
        elif method in view.needs:
            need = view.needs[method]
        else:
            return False
        require(need, request.auth)
        return True


def require_dataset_cover(grant: TokenGrant, dataset: str | None) -> None:
    """Raise NotCovered unless the token covers works of this dataset; None stands for no dataset."""
    if not grant.covers_dataset(dataset):
        raise NotCovered("The token does not cover works without a dataset; name one of its datasets.")
