"""What a request needs: who may send it, and what the token must cover. Every view declares it, by method.

An access token narrows (RFC 9396): what is outside its models, datasets and purposes does not exist for it. The
actions that it lacks are answered with `insufficient_scope`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from governance.api.errors import NotCovered
from governance.kernel.vocabulary import TOKEN_ACTIONS, UPLOAD, Action
from governance.partners.types import TokenGrant


class Caller(StrEnum):
    """Who may send a request."""

    ANYBODY = "anybody"
    TOKEN = "the bearer of an access token"  # noqa: S105 - not a secret
    CLIENT = "an API client, by its credentials"
    OPA_SERVER = "an enrolled OPA server"


@dataclass(frozen=True, slots=True)
class Need:
    """What an endpoint needs.

    The token must cover one of `actions`, any if there is none. Of what the partner may see, only what lies `within`
    these lists of the token exists for the request. `remark` says what else holds.
    """

    caller: Caller = Caller.TOKEN
    actions: frozenset[str] = frozenset()
    within: tuple[str, ...] = ()
    remark: str = ""

    def sentence(self) -> str:
        """Return the need as OpenAPI and the docs show it; empty for an endpoint that takes no token."""
        if self.caller is not Caller.TOKEN:
            return ""
        names = [f"`{action}`" for action in sorted(self.actions)]
        scope = f"Needs a token with the scope {' or '.join(names)}." if names else "Needs a token with any scope."
        kept = f" Only what lies within the token's {_listed(self.within)} exists for it." if self.within else ""
        return f"{scope}{kept}{' ' if self.remark else ''}{self.remark}"


class Declaring(Protocol):
    """A view that says what each of its methods needs."""

    needs: Mapping[str, Need]


def _of(kind: str) -> frozenset[str]:
    return frozenset(action for action in TOKEN_ACTIONS if action.startswith(f"{kind}."))


OF_JOBS = frozenset({Action.ASSET_INFER.value, Action.MODEL_INVOKE.value, Action.OUTPUT_RELEASE.value})
EVERY_LIST = ("models", "datasets", "purposes")
ANYBODY = Need(Caller.ANYBODY)
CLIENT = Need(Caller.CLIENT)
OPA_SERVER = Need(Caller.OPA_SERVER)
ANY_TOKEN = Need()
READ_MODELS = Need(actions=_of("model"), within=("models",))
READ_WORKS = Need(actions=_of("asset"), within=("datasets",))
UPLOAD_WORKS = Need(actions=frozenset({UPLOAD}), within=("datasets",))
READ_JOBS = Need(actions=OF_JOBS, within=EVERY_LIST)
SUBMIT_JOBS = Need(
    within=("datasets",),
    remark="Policy decides whether its actions, purposes and models suffice, and a denial is on record.",
)
CANCEL_JOBS = Need(actions=frozenset({Action.MODEL_INVOKE.value}), within=EVERY_LIST)
READ_OUTPUTS = Need(actions=frozenset({Action.OUTPUT_RELEASE.value}), within=EVERY_LIST)
ASK_POLICY = Need(
    within=EVERY_LIST, remark="About another client, the token must cover the action and the purpose asked about."
)


def require(need: Need, grant: TokenGrant) -> None:
    """Raise NotCovered unless the token covers one of the actions."""
    if need.actions and not need.actions & grant.actions:
        names = " or ".join(f"'{action}'" for action in sorted(need.actions))
        raise NotCovered(f"This needs a token with the scope {names}.")


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
