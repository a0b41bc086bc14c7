"""What may widen what is allowed, and who holds such powers. The one place that says so.

Every permission counts as a power unless it is known to be none: a permission that is added later is a power until
somebody writes down here why it is not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.contrib.auth.models import Group, Permission, User

from governance.audit.recording.states import State
from governance.audit.types import Actor
from governance.console.errors import AccessRefused, SecondPersonNeeded

#: Stands for "everything": a superuser passes every check.
EVERYTHING: Final = "*"
#: Permissions that change something and widen nothing.
NARROWING: Final = frozenset(
    {
        "audit.add_legalhold",  # keeps evidence for longer
        "audit.add_scrubrun",  # reads what is stored again
        "audit.change_scrubrun",
        "decisions.add_replayreport",  # asks what a draft would do
        "jobs.change_job",  # cancels
        "rulebook.add_policyfreeze",  # denies everything
    }
)


@dataclass(frozen=True, slots=True)
class Authority:
    """Who wants to change an account: what they hold, and which account is their own."""

    holds: frozenset[str]
    own_key: str
    alone: bool

    def lacks(self, codes: Iterable[str]) -> list[str]:
        """Return which of some permissions this person does not hold, sorted."""
        return [] if EVERYTHING in self.holds else sorted({*codes} - self.holds)


def is_power(code: str) -> bool:
    """Return whether a permission, as "area.codename", can widen what is allowed."""
    return code not in NARROWING and not code.partition(".")[2].startswith("view_")


def powers(codes: Iterable[str]) -> set[str]:
    """Return which of some permissions can widen what is allowed."""
    return {code for code in codes if is_power(code)}


def can_widen(user: User) -> bool:
    """Return whether a user can widen anything: every standard role but Auditor."""
    return user.is_active and (user.is_superuser or bool(powers(user.get_all_permissions())))


def reach_of(state: State, groups: Iterable[Group]) -> set[str]:
    """Return what an account in this recorded state, and in these groups, may do; nothing while it is inactive."""
    if not (state["active"] and state["staff"]):
        return set()
    direct = state["permissions"]
    assert isinstance(direct, list)
    everything = {EVERYTHING} if state["superuser"] else set()
    return everything | {str(each) for each in direct} | codes_of(groups)


def codes_of(groups: Iterable[Group]) -> set[str]:
    """Return the permissions that some groups give together, as "area.codename"."""
    found = Permission.objects.filter(group__in=[group.pk for group in groups])
    return {f"{area}.{name}" for area, name in found.values_list("content_type__app_label", "codename")}


def authority_of(actor: Actor) -> Authority:
    """Return what an actor may give to accounts.

    Commands and migrations are run by whoever runs the installation, who could write to the database as well; their
    actor is of the type `system`, and they act alone. Everybody else gives what they hold, with a second person.
    """
    if actor.type == "system":
        return Authority(holds=frozenset({EVERYTHING}), own_key="", alone=True)
    user = User.objects.filter(pk=actor.id, is_active=True, is_staff=True).first() if actor.id.isdigit() else None
    if user is None:
        return Authority(holds=frozenset(), own_key=actor.id, alone=False)
    holds = {EVERYTHING} if user.is_superuser else user.get_all_permissions()
    return Authority(holds=frozenset(holds), own_key=str(user.pk), alone=False)


def check_gain(gain: set[str], *, authority: Authority, own: bool, second: bool = False) -> None:
    """Check that somebody may give this access to an account, `own` to their own one, `second` as the second person.

    Raises AccessRefused, and SecondPersonNeeded for powers that nobody else proposed.
    """
    if not gain or authority.alone:
        return
    if own:
        raise AccessRefused("Nobody gives themselves more access. Ask somebody else to propose it.")
    if EVERYTHING in gain:
        raise AccessRefused("Only “manage.py console_user add --superuser” makes a superuser.")
    beyond = authority.lacks(gain)
    if beyond:
        some = ", ".join(beyond[:3]) + (f" and {len(beyond) - 3} more" if len(beyond) > 3 else "")
        raise AccessRefused(f"You can only give what you hold yourself. You lack {some}.")
    if powers(gain) and not second:
        raise SecondPersonNeeded("This can widen what is allowed, so a second person must approve it.")
