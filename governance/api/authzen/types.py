"""The messages of the Authorization API 1.0 as they are once validated (sections 5 to 8)."""

from typing import NotRequired, TypedDict


class Entity(TypedDict):
    """A subject or a resource. Where one is searched for, it has no `id`."""

    type: str
    id: str


class AccessAction(TypedDict):
    """An action, such as `asset.train`."""

    name: str


class Context(TypedDict, total=False):
    """What a question is asked for: the purpose, and the slug of the model to use."""

    purpose: str
    model: str


class PageRequest(TypedDict, total=False):
    """Which page of results: the token that the page before gave, and how many results at most."""

    token: str
    limit: int


class Paged(TypedDict):
    """A request whose answer comes in pages."""

    page: NotRequired[PageRequest]


class EvaluationRequest(Paged):
    """One question. Only searches have a page."""

    subject: Entity
    action: AccessAction
    resource: Entity
    context: NotRequired[Context]


class ActionSearch(Paged):
    """The question what a subject may do with a resource."""

    subject: Entity
    resource: Entity
    context: NotRequired[Context]


class Options(TypedDict, total=False):
    """How a batch is evaluated."""

    evaluations_semantic: str


class BatchRequest(TypedDict, total=False):
    """Questions, and the members that are the defaults of all of them; nothing in them is validated yet."""

    subject: dict[str, object]
    action: dict[str, object]
    resource: dict[str, object]
    context: dict[str, object]
    options: Options
    evaluations: list[dict[str, object]]


class AccessDecision(TypedDict):
    """A decision. `context` has the id it is on record under, and the reasons of a denial."""

    decision: bool
    context: dict[str, object]


class PageInfo(TypedDict):
    """Where the next page begins; the token is empty on the last one."""

    next_token: str
    count: int


class Results(TypedDict):
    """One page of what a search found."""

    results: list[dict[str, str]]
    page: PageInfo
