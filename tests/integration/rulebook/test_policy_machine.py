"""Whatever people do in whatever order, nobody alone decides what is in force, narrowing and freezing aside.

The machine knows nothing of authors: it keeps who wrote a text and who switched a rule on or off, and looks at what is
in force after every step.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from governance.audit.types import Actor
from governance.kernel import clock
from governance.kernel.errors import GovernanceError
from governance.kernel.ids import new_id
from governance.rulebook import authorship, lifecycle
from governance.rulebook.activation import activate_draft, publish_without_review, roll_back
from governance.rulebook.choices import ActivationKind
from governance.rulebook.content import ABAC
from governance.rulebook.freeze import freeze_policy, lift_freeze, withdraw_lift
from governance.rulebook.lifecycle import (
    approve_draft,
    check_draft,
    mark_replayed,
    open_draft,
    propose_rollback,
    refresh_draft,
    reject_draft,
    submit_draft,
)
from governance.rulebook.models import AbacRule, PolicyActivation, PolicyDraft, PolicyFreeze, PolicyRevision
from governance.rulebook.queries import active_revision, load_program, revision_rules
from governance.rulebook.services import create_rule, delete_rule, update_rule
from tests.effort import examples
from tests.factories import rulebook

PEOPLE = 3
SLUGS = st.sampled_from(["one", "two"])
CHANGES = ["switch", "switch", "delete", "No.", "No. (off)", "Never.", "Never. (off)"]
WHO = st.integers(0, PEOPLE - 1)
ANY = st.integers(0, 5)
EDITS = st.lists(st.tuples(WHO, SLUGS, st.sampled_from(CHANGES)), min_size=1, max_size=3)
SEED = Actor("system", "seed")
SOUND = {"engines": [], "problems": [], "cases": []}


@dataclass
class Touch:
    """Somebody set a rule: to a text that is switched on, to one that is switched off, or to nothing."""

    slug: str
    person: str
    text: str | None
    enabled: bool


@dataclass
class World:
    """What the machine saw: every touch, and what was in force, each with the number of touches before it."""

    touches: list[Touch] = field(default_factory=list)
    in_force: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    def responsible(self, slug: str, text: str | None, *, until: int) -> set[str]:
        """Return who wrote and who switched on what a rule says, or who took it away, since that was in force."""
        of_rule = [(at, touch) for at, touch in enumerate(self.touches[:until], 1) if touch.slug == slug]
        earlier: Touch | None = None
        wrote: tuple[int, str] | None = None
        switched: tuple[int, str] | None = None
        for at, touch in of_rule:
            if touch.text != (earlier.text if earlier else None):
                wrote = (at, touch.person)
            if touch.enabled != (earlier.enabled if earlier else False):
                switched = (at, touch.person)
            earlier = touch
        last_in_force = max((taken for taken, held in self.in_force if held.get(slug) == text), default=0)
        found = (wrote, switched) if text is not None else (switched,)
        return {person for each in found if each is not None for at, person in [each] if at > last_in_force}


class PolicyMachine(RuleBasedStateMachine):
    """People write, switch, propose, approve, reject, activate, roll back, freeze and lift, each as they please."""

    def __init__(self) -> None:
        super().__init__()
        load_program.cache_clear()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        create = get_user_model().objects.create_user
        self.users = [create(username=f"person-{number}") for number in range(PEOPLE)]
        self.world = World()
        self.taken: dict[int, int] = {}
        self.seen = 0
        self.steps: dict[str, Callable[[PolicyDraft, Actor], object]] = {
            "submit": self.take_to_review,
            "approve": lambda draft, who: approve_draft(draft=draft, digest=draft.digest, actor=who, comment="Yes."),
            "activate": lambda draft, who: activate_draft(draft=draft, actor=who),
            "refresh": lambda draft, who: self.take(refresh_draft(draft=draft, actor=who)),
            "reject": lambda draft, who: reject_draft(draft=draft, actor=who, comment="No."),
        }
        publish_without_review(actor=SEED)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    @rule(who=WHO, slug=SLUGS, change=st.sampled_from(CHANGES))
    def edit(self, who: int, slug: str, change: str) -> None:
        """Somebody writes a rule anew, on or off, switches it, or deletes it."""
        stored = AbacRule.objects.filter(slug=slug).first()
        if change == "delete" and stored is not None:
            delete_rule(rule=stored, actor_user=self.users[who])
            self.world.touches.append(Touch(slug, self.name(who), None, False))
        elif change == "switch" and stored is not None:
            self.write(who, slug, stored.message, enabled=not stored.enabled)
        elif change not in ("delete", "switch"):
            self.write(who, slug, change.removesuffix(" (off)"), enabled=not change.endswith("(off)"))

    @rule(edits=EDITS, proposer=WHO, further=st.integers(1, PEOPLE - 1))
    def go_the_whole_way(self, edits: list[tuple[int, str, str]], proposer: int, further: int) -> None:
        """Changes with all that follows, since single steps seldom get as far as an activation."""
        for who, slug, change in edits:
            self.edit(who, slug, change)
        self.attempt(lambda: self.take(open_draft(title="A draft", actor=self.actor(proposer))))
        for step in ("submit", "approve", "activate"):
            self.step((proposer + further) % PEOPLE, 0, step)

    @rule(who=WHO, which=ANY, name=st.sampled_from(["submit", "approve", "activate", "refresh", "reject"]))
    def step(self, who: int, which: int, name: str) -> None:
        """Somebody takes a step with one of the newest drafts."""
        drafts = PolicyDraft.objects.order_by("-number")
        draft = drafts[which : which + 1].first() or drafts.first()
        if draft is not None:
            self.attempt(lambda: self.steps[name](draft, self.actor(who)))

    @rule(who=WHO, to=ANY, proposed=st.booleans())
    def go_back(self, who: int, to: int, proposed: bool) -> None:
        """Somebody rolls back, to the revision before or to any, or proposes that."""
        revision = PolicyRevision.objects.filter(number=to).first()
        if proposed and revision is not None:
            self.attempt(lambda: self.take(propose_rollback(to=revision, reason="Back.", actor=self.actor(who))))
        else:
            self.attempt(lambda: roll_back(actor=self.actor(who), reason="Back.", to=revision))

    @rule(who=WHO, withdraw=st.booleans())
    def freeze_or_lift(self, who: int, withdraw: bool) -> None:
        """Somebody freezes policy; while it is frozen, asks for the end, agrees to it, or takes that back."""
        freeze = PolicyFreeze.objects.filter(active=True).first()
        if freeze is None:
            self.attempt(lambda: freeze_policy(actor=self.actor(who), reason="Stop."))
        else:
            change = withdraw_lift if withdraw else lift_freeze
            self.attempt(lambda: change(freeze=freeze, actor=self.actor(who)))

    @invariant()
    def nobody_alone_decided(self) -> None:
        """Look at every activation that is new."""
        for activation in PolicyActivation.objects.filter(id__gt=self.seen).order_by("id"):
            now = held_by(activation.revision)
            if activation.kind == ActivationKind.REVIEWED:
                self.two_decided(activation, now)
            elif activation.kind == ActivationKind.ROLLBACK:
                assert activation.revision == self.neighbour(activation), "one person went further than one step back"
            self.seen = activation.id

    @invariant()
    def two_lifted(self) -> None:
        """A freeze ends by two people."""
        for freeze in PolicyFreeze.objects.filter(active=False):
            assert freeze.lifted_by
            assert freeze.lift_asked_by not in ("", freeze.lifted_by)

    def two_decided(self, activation: PolicyActivation, now: dict[str, str]) -> None:
        """Hold a reviewed activation against who wrote and switched what it changes."""
        draft = PolicyDraft.objects.filter(revision=activation.revision).order_by("-updated_at", "-number")[0]
        before = held_by(activation.replaced) if activation.replaced else {}
        taken = self.taken[draft.number]
        assert draft.approved_by
        assert draft.approved_by != draft.created_by
        if draft.restores is None:
            changed = [slug for slug in {*now, *before} if now.get(slug) != before.get(slug)]
            for slug in changed:
                responsible = self.world.responsible(slug, now.get(slug), until=taken)
                assert draft.approved_by not in responsible, (slug, draft.approved_by, responsible)
        self.world.in_force.append((taken if draft.restores is None else 0, now))

    def neighbour(self, activation: PolicyActivation) -> PolicyRevision | None:
        """Return the only revision that one person may put back: what the activation before replaced."""
        earlier = PolicyActivation.objects.filter(id__lt=activation.id).order_by("-id")
        reviewed = earlier.exclude(kind=ActivationKind.ROLLBACK)[0]
        pair = {reviewed.revision_id, reviewed.replaced_id}
        assert activation.revision_id in pair
        return earlier[0].replaced

    def take(self, draft: PolicyDraft) -> None:
        self.taken[draft.number] = len(self.world.touches)

    def take_to_review(self, draft: PolicyDraft, actor: Actor) -> None:
        checked = check_draft(draft=draft, actor=actor)
        marks = {"replay_id": new_id(), "digest": checked.digest, "base": checked.base_digest}
        mark_replayed(draft=checked, at=clock.now(), actor=actor, **marks)
        submit_draft(draft=checked, actor=actor)

    def write(self, who: int, slug: str, text: str, *, enabled: bool) -> None:
        spec = rulebook.rule(id=slug, message=text)
        stored = AbacRule.objects.filter(slug=slug).first()
        if stored is None:
            create_rule(spec=spec, enabled=enabled, actor_user=self.users[who])
        else:
            update_rule(rule=stored, spec=spec, enabled=enabled, actor_user=self.users[who])
        self.world.touches.append(Touch(slug, self.name(who), text, enabled))

    def attempt(self, step: Callable[[], object]) -> None:
        """Take a step that may be refused."""
        try:
            with transaction.atomic():
                step()
        except GovernanceError:
            return

    def actor(self, who: int) -> Actor:
        return Actor("user", str(self.users[who].pk))

    def name(self, who: int) -> str:
        return str(self.actor(who))


def held_by(revision: PolicyRevision) -> dict[str, str]:
    """Return the text of each rule of the team that a revision holds."""
    return {rule.spec.id: rule.spec.message for rule in revision_rules(revision) if rule.origin == ABAC}


@pytest.mark.django_db
def test_nobody_alone_decides_what_is_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who decides is what matters here, so the checks of a draft's content are left out: they ask no person."""
    monkeypatch.setattr(lifecycle, "check_draft_content", lambda **_: SOUND)

    run_state_machine_as_test(
        PolicyMachine, settings=settings(max_examples=examples(8), stateful_step_count=20, deadline=None)
    )


@pytest.mark.django_db
def test_the_machine_would_notice_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """With authors counted from the active revision only, who wrote a disabled rule could approve it."""
    monkeypatch.setattr(lifecycle, "check_draft_content", lambda **_: SOUND)
    monkeypatch.setattr(authorship, "_last_in_force", lambda rules: dict.fromkeys(rules, active_revision().last_edit))
    machine = PolicyMachine()
    machine.go_the_whole_way([(0, "one", "No. (off)"), (1, "two", "No.")], proposer=1, further=1)
    machine.nobody_alone_decided()

    machine.go_the_whole_way([(1, "one", "switch")], proposer=1, further=2)

    with pytest.raises(AssertionError, match="user:"):
        machine.nobody_alone_decided()
    machine.teardown()
