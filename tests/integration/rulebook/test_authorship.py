"""Who wrote a part of a draft, and so does not approve it."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model

from governance.audit.types import Actor
from governance.kernel import clock
from governance.rulebook.activation import activate_draft, publish_without_review
from governance.rulebook.choices import DraftState
from governance.rulebook.errors import (
    OwnDraft,
)
from governance.rulebook.lifecycle import (
    approve_draft,
)
from governance.rulebook.models import (
    PolicyDraft,
)
from governance.rulebook.services import create_rule, delete_rule, update_rule
from tests.factories.drafts import (
    APPROVER,
    AUTHOR,
    SEED,
    in_review,
    proposed,
    with_a_new_rule,
)
from tests.factories.rulebook import AbacRuleFactory, rule

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("edit", ["create", "update", "delete"])
def test_an_editor_of_any_changed_rule_does_not_approve(edit: str) -> None:
    editor = get_user_model().objects.create_user(username="editor")
    stored = AbacRuleFactory(slug="block-region")
    other = AbacRuleFactory(slug="other")
    publish_without_review(actor=SEED)
    update_rule(rule=other, spec=rule(id="other", message="No."), enabled=True, actor_user=editor)
    publish_without_review(actor=SEED)
    with_a_new_rule()
    assert f"user:{editor.pk}" not in proposed("Nothing of the editor").authors
    match edit:
        case "create":
            create_rule(spec=rule(id="new"), enabled=True, actor_user=editor)
        case "update":
            update_rule(rule=stored, spec=rule(message="No."), enabled=True, actor_user=editor)
        case _:
            delete_rule(rule=stored, actor_user=editor)

    draft = in_review("Something of the editor")

    assert draft.authors == sorted(["user:901", f"user:{editor.pk}"])
    with pytest.raises(OwnDraft):
        approve_draft(draft=draft, digest=draft.digest, actor=Actor("user", str(editor.pk)), comment="")


def person(name: str) -> tuple[Any, str]:
    """Return a user and how drafts name it."""
    user = get_user_model().objects.create_user(username=name)
    return user, f"user:{user.pk}"


def test_who_wrote_a_disabled_rule_that_another_enabled_later_is_its_author() -> None:
    writer, writer_name = person("writer")
    enabler, enabler_name = person("enabler")
    stored = create_rule(spec=rule(), enabled=False, actor_user=writer)
    publish_without_review(actor=SEED)
    update_rule(rule=stored, spec=rule(), enabled=True, actor_user=enabler)

    assert proposed().authors == sorted([str(AUTHOR), writer_name, enabler_name])


def test_who_changed_a_rule_while_it_was_out_of_force_is_its_author() -> None:
    writer, writer_name = person("writer")
    editor, editor_name = person("editor")
    enabler, enabler_name = person("enabler")
    stored = create_rule(spec=rule(), enabled=True, actor_user=writer)
    publish_without_review(actor=SEED)
    stored = update_rule(rule=stored, spec=rule(message="No."), enabled=False, actor_user=editor)
    publish_without_review(actor=SEED)
    stored = update_rule(rule=stored, spec=rule(message="No."), enabled=True, actor_user=enabler)
    assert {writer_name, editor_name, enabler_name} <= set(proposed("Never in force").authors)

    update_rule(rule=stored, spec=rule(), enabled=True, actor_user=enabler)
    again = proposed("As it was").authors
    assert {editor_name, enabler_name} <= set(again)
    assert writer_name not in again


def test_who_reverts_a_change_and_who_is_reverted_are_authors() -> None:
    eager, eager_name = person("eager")
    calm, calm_name = person("calm")
    stored = create_rule(spec=rule(), enabled=True, actor_user=eager)
    publish_without_review(actor=SEED)
    stored = update_rule(rule=stored, spec=rule(message="No."), enabled=True, actor_user=eager)
    update_rule(rule=stored, spec=rule(), enabled=True, actor_user=calm)
    with_a_new_rule()

    assert {eager_name, calm_name} <= set(proposed().authors)


def test_who_wrote_a_rule_before_edits_were_kept_is_its_author() -> None:
    _, writer_name = person("veteran")
    AbacRuleFactory(created_by="veteran", updated_by="veteran")

    assert proposed().authors == sorted([str(AUTHOR), writer_name])


def test_an_approval_of_an_older_version_is_held_to_todays_rule() -> None:
    writer, writer_name = person("writer")
    create_rule(spec=rule(), enabled=True, actor_user=writer)
    draft = in_review()
    PolicyDraft.objects.filter(pk=draft.pk).update(authors=[str(AUTHOR)])
    with pytest.raises(OwnDraft):
        approve_draft(draft=draft, digest=draft.digest, actor=Actor("user", str(writer.pk)), comment="")

    PolicyDraft.objects.filter(pk=draft.pk).update(
        state=DraftState.APPROVED, approved_by=writer_name, approved_at=clock.now()
    )
    with pytest.raises(OwnDraft):
        activate_draft(draft=draft, actor=APPROVER)
