"""Revisions carried elsewhere and back: the same digest, or no import."""

import json

import pytest
from django.contrib.auth.models import AbstractBaseUser

from governance.audit.types import Actor
from governance.kernel.canonical import canonical_json, sha256_hex
from governance.rulebook.activation import activate_draft, publish_without_review
from governance.rulebook.choices import DraftState
from governance.rulebook.errors import ImportRefused, NothingToPropose
from governance.rulebook.exchange import export_revision, import_revision
from governance.rulebook.lifecycle import approve_draft, check_draft, submit_draft
from governance.rulebook.models import (
    AbacRule,
    PolicyActivation,
    PolicyRevision,
    RevisionAnchor,
    RuleEdit,
)
from tests.factories.drafts import APPROVER, AUTHOR, replay
from tests.factories.rulebook import AbacRuleFactory
from tests.history import guards_lifted

SEED = Actor("system", "seed")
pytestmark = pytest.mark.django_db


@pytest.fixture
def exported() -> bytes:
    """Return a revision with two own rules, exported from an installation that is gone."""
    AbacRuleFactory(slug="one")
    AbacRuleFactory(slug="two", message="Zwei – “двa” {subject.region}")
    data = export_revision(publish_without_review(actor=SEED))
    with guards_lifted():
        for table in (PolicyActivation, RevisionAnchor, PolicyRevision, AbacRule, RuleEdit):
            table.objects.all().delete()
    return data


def test_what_is_imported_elsewhere_becomes_the_same_revision(exported: bytes, author: AbstractBaseUser) -> None:
    AbacRuleFactory(slug="two", message="Other words.")
    AbacRuleFactory(slug="local")

    draft = import_revision(data=exported, title="From afar", user=author)

    digest = json.loads(exported)["digest"]
    assert (draft.state, draft.digest) == (DraftState.DRAFT, digest)
    assert dict(AbacRule.objects.values_list("slug", "enabled")) == {"one": True, "two": True, "local": False}
    draft = check_draft(draft=draft, actor=AUTHOR)
    replay(draft)
    submit_draft(draft=draft, actor=AUTHOR)
    approve_draft(draft=draft, digest=digest, actor=APPROVER, comment="")
    revision = activate_draft(draft=draft, actor=APPROVER)
    assert (revision.digest, revision.content) == (digest, json.loads(exported)["content"])


def test_importing_the_active_revision_proposes_nothing(author: AbstractBaseUser) -> None:
    data = export_revision(publish_without_review(actor=SEED))
    with pytest.raises(NothingToPropose):
        import_revision(data=data, title="Again", user=author)


def forged(exported: bytes, old: str, new: str) -> bytes:
    """Return an export with some of its content changed and the digest made to fit."""
    document = json.loads(exported)
    document["content"] = document["content"].replace(old, new)
    document["digest"] = sha256_hex(document["content"].encode())
    return canonical_json(document)


def test_modules_that_are_not_what_the_rules_compile_to_are_refused(exported: bytes, author: AbstractBaseUser) -> None:
    with pytest.raises(ImportRefused, match="another revision here"):
        import_revision(data=forged(exported, "package assent", "package  assent"), title="Forged", user=author)
    assert not AbacRule.objects.exists()


def test_system_rules_of_elsewhere_are_refused(exported: bytes, author: AbstractBaseUser) -> None:
    with pytest.raises(ImportRefused):
        import_revision(data=forged(exported, '"effect":"permit"', '"effect":"deny"'), title="Forged", user=author)


@pytest.mark.parametrize("change", [b"", b"{}", b"[]", b'{"format":1,"digest":"x","content":"y"}'])
def test_anything_but_an_export_is_refused(change: bytes, author: AbstractBaseUser) -> None:
    with pytest.raises(ImportRefused):
        import_revision(data=change, title="Broken", user=author)
