"""Role-based access of API clients, decided by Casbin: roles with inheritance, in domains that are partners.

Each process keeps an enforcer and rebuilds it when the version row shows that roles have changed; the row is read at
most every ASSENT_RBAC_REFRESH_MS. A client without a role has the role `member`; if there is no such role, roles do not
limit it.
"""

import threading
import time
from dataclasses import dataclass
from uuid import UUID

from casbin import Enforcer
from casbin.model import Model
from casbin.persist import Adapter
from casbin.util.log import disabled_logging
from django.conf import settings

from governance.kernel.vocabulary import Action
from governance.partners.models import ModelGroup, Partner, Role, RoleAssignment, RolePermission, RoleVersion

MEMBER = "member"
ANY = "*"
KEPT = 10_000
MODEL = """\
[request_definition]
r = sub, dom, obj, act

[policy_definition]
p = sub, dom, obj, act

[role_definition]
g = _, _, _
g2 = _, _

[policy_effect]
e = some(where (p.eft == allow))

[matchers]
m = (p.dom == "*" || r.dom == p.dom) && (p.act == "*" || r.act == p.act) && \
(p.obj == "*" || r.obj == p.obj || g2(r.obj, p.obj)) && g(r.sub, p.sub, r.dom)
"""


@dataclass(frozen=True, slots=True)
class RolePermits:
    """What a client's roles permit: actions with at least one model, and models for the action asked about."""

    actions: tuple[str, ...]
    any_model: bool
    models: tuple[str, ...]


EVERYTHING = RolePermits(actions=tuple(sorted(Action)), any_model=True, models=())


class RoleAdapter(Adapter):  # type: ignore[misc]
    """Loads roles from the tables, row by row: values may contain commas, at which Casbin's own adapters split."""

    def load_policy(self, model: Model) -> None:
        """Fill the model with permissions (p), with roles and inheritance by domain (g), and with groups (g2)."""
        for each in RolePermission.objects.select_related("role__partner", "group"):
            obj = _group(each.group) if each.group else each.model_slug or ANY
            model.add_policy("p", "p", [_role(each.role), _domain(each.role), obj, each.action or ANY])
        domains = list(Partner.objects.filter(clients__isnull=False).distinct().values_list("slug", flat=True))
        for role in Role.objects.prefetch_related("inherits"):
            for parent in role.inherits.all():
                model.add_policies("g", "g", [[_role(role), _role(parent), domain] for domain in domains])
        for held in RoleAssignment.objects.select_related("client__partner", "role"):
            model.add_policy("g", "g", [_client(held.client.client_id), _role(held.role), held.client.partner.slug])
        for group in ModelGroup.objects.all():
            model.add_policies("g", "g2", [[slug, _group(group)] for slug in group.model_slugs])

    def save_policy(self, model: Model) -> bool:
        """Refuse: roles are written by the services."""
        raise NotImplementedError


class RoleBook:
    """The roles as they were at one version. Safe to share between threads."""

    def __init__(self, version: UUID | None) -> None:
        """Read every role. `version` is their version."""
        disabled_logging()  # Casbin would log every request
        self.version = version
        self._lock = threading.Lock()
        self._enforcer = Enforcer(Enforcer.new_model(text=MODEL), RoleAdapter())
        self._limits_members = Role.objects.filter(slug=MEMBER).exists()
        self._with_role = frozenset(RoleAssignment.objects.values_list("client__client_id", flat=True))
        self._models = sorted(
            {*RolePermission.objects.exclude(model_slug="").values_list("model_slug", flat=True)}.union(
                *ModelGroup.objects.values_list("model_slugs", flat=True)
            )
        )
        self._known: dict[tuple[str, str, str], RolePermits] = {}

    def permits(self, *, client_id: str, partner: str, action: str) -> RolePermits:
        """Return what the roles of a client permit in the domain of its partner."""
        if client_id not in self._with_role and not self._limits_members:
            return EVERYTHING
        asked = (client_id, partner, action)
        with self._lock:
            if asked not in self._known:
                if len(self._known) >= KEPT:
                    self._known.clear()
                self._known[asked] = self._computed(client_id, partner, action)
            return self._known[asked]

    def _computed(self, client_id: str, partner: str, action: str) -> RolePermits:
        subject = _client(client_id) if client_id in self._with_role else f"role:{MEMBER}"

        def allowed(act: str, *models: str) -> list[str]:
            return [slug for slug in models if self._enforcer.enforce(subject, partner, slug, act)]

        return RolePermits(
            actions=tuple(act.value for act in sorted(Action) if allowed(act.value, ANY, *self._models)),
            any_model=bool(allowed(action, ANY)),
            models=tuple(allowed(action, *self._models)),
        )


class _Kept:
    """This process's copy of the roles, and when it was last known to be current."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.book: RoleBook | None = None
        self.checked = 0.0


_kept = _Kept()


def role_permits(*, client_id: str, partner: str, action: str) -> RolePermits:
    """Return what the roles of a client permit now; a change takes effect here within ASSENT_RBAC_REFRESH_MS."""
    return _current_book().permits(client_id=client_id, partner=partner, action=action)


def _current_book() -> RoleBook:
    with _kept.lock:
        now = time.monotonic()
        if _kept.book is None or now - _kept.checked >= settings.ASSENT_RBAC_REFRESH_MS / 1000:
            # Read the version first: roles that change during the read are then read again.
            version = RoleVersion.objects.values_list("version", flat=True).first()
            if _kept.book is None or _kept.book.version != version:
                _kept.book = RoleBook(version)
            _kept.checked = now
        return _kept.book


def _role(role: Role) -> str:
    return f"role:{role.slug}"


def _client(client_id: str) -> str:
    return f"client:{client_id}"


def _group(group: ModelGroup) -> str:
    return f"group:{group.slug}"


def _domain(role: Role) -> str:
    return role.partner.slug if role.partner else ANY
