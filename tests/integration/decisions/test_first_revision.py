"""A fresh installation has no revision and no decisions, and still gets its first policy by two people."""

from datetime import timedelta

from governance.audit.types import Actor
from governance.decisions.replay import request_replay, work_batch
from governance.kernel import clock
from governance.rulebook.activation import activate_draft
from governance.rulebook.lifecycle import approve_draft, check_draft, open_draft, submit_draft
from governance.rulebook.models import PolicyDraft
from governance.rulebook.queries import active_revision

AUTHOR, APPROVER = Actor("user", "1"), Actor("user", "2")


def test_the_first_revision_goes_the_way_of_every_other(db):
    draft = check_draft(draft=open_draft(title="First", actor=AUTHOR), actor=AUTHOR)
    now = clock.now()
    report = request_replay(draft=draft, since=now - timedelta(days=1), until=now, sample_percent=100, actor=AUTHOR)
    work_batch(report_id=report.id, actor=AUTHOR)
    draft = submit_draft(draft=PolicyDraft.objects.get(), actor=AUTHOR, comment="")
    approve_draft(draft=draft, digest=draft.digest, actor=APPROVER, comment="As reviewed in git.")
    activate_draft(draft=PolicyDraft.objects.get(), actor=APPROVER)
    assert active_revision().digest == draft.digest
