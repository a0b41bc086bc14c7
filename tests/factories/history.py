"""One of everything that leaves a trace: what a reconciliation has to find complete."""

from dataclasses import dataclass

from governance.audit.evidence.anchoring import anchor_pending
from governance.audit.keeping.holds import ask_release, release_hold, set_hold
from governance.audit.log.sequencer import sequence_pending
from governance.audit.models import WormReference
from governance.catalog import services as catalog
from governance.catalog.choices import GrantMethod
from governance.catalog.creators import create_creator
from governance.catalog.models import Creator
from governance.jobs.models import Job
from governance.registry.model_licences import MODEL_LICENCE_WAY, propose_model_licence
from governance.rulebook.activation import activate_draft
from governance.rulebook.freeze import freeze_policy, lift_freeze
from governance.rulebook.models import PolicyDraft
from governance.workflows.cancel_job import cancel_job
from governance.workflows.erase_creator import erase_creator
from tests.factories.drafts import APPROVER, AUTHOR, SECOND_APPROVER, approved, with_a_new_rule
from tests.factories.licences import make_licence
from tests.factories.marketplace import TESTER, Marketplace, finish, make_asset, make_marketplace, png, run
from tests.factories.states import put_on_record


@dataclass(frozen=True)
class History:
    """What happened: jobs of each end, a creator who withdrew, one who was erased, a policy that was changed."""

    market: Marketplace
    released: Job
    denied: Job
    cancelled: Job
    running: Job
    withdrawn: Creator
    erased: Creator
    draft: PolicyDraft


def make_history() -> History:
    """Let it all happen, put it in the ledger and in WORM storage."""
    market = make_marketplace()
    withdrawn, erased = _creator("bea"), _creator("cleo")
    for number, creator in enumerate((withdrawn, erased)):
        grant = {"level": market.level, "method": GrantMethod.SIGNED_FORM, "actor": TESTER}
        asset = make_asset(creator, png(30 + number, 20))
        catalog.record_grant(creator=creator, asset=None, **grant)
        catalog.record_grant(creator=creator, asset=asset, **grant)
    catalog.record_withdrawal(
        creator=withdrawn, asset=None, everything=True, method=GrantMethod.CREATOR_PORTAL, actor=TESTER
    )
    erase_creator(creator=erased, method=GrantMethod.EMAIL, actor=TESTER)
    released = finish(market.submit().job.id)
    running = run(market.submit().job.id)
    denied = market.submit(purpose="research").job
    cancelled = cancel_job(job=market.submit().job, actor=TESTER)
    strict = make_licence("strict", name="Strict", purposes=[])
    move = propose_model_licence(model=market.version.model, licence=strict, reason="A move", actor=AUTHOR)
    MODEL_LICENCE_WAY.withdraw(proposal=move, actor=AUTHOR)
    lift_freeze(freeze=(freeze := freeze_policy(actor=APPROVER, reason="Look first.")), actor=APPROVER)
    lift_freeze(freeze=freeze, actor=SECOND_APPROVER)
    with_a_new_rule()
    draft = approved()
    activate_draft(draft=draft, actor=SECOND_APPROVER)
    put_on_record()
    anchor_pending()
    hold = set_hold(reference=WormReference.objects.get(subject_id=str(denied.id)), actor=AUTHOR, reason="A claim.")
    release_hold(hold=ask_release(hold=hold, actor=AUTHOR, reason="Settled."), actor=APPROVER)
    sequence_pending()
    return History(market, released, denied, cancelled, running, withdrawn, erased, draft)


def _creator(slug: str) -> Creator:
    return create_creator(
        slug=slug,
        display_name=slug.title(),
        email=f"{slug}@example.org",
        region="DE",
        uploaders=[],
        actor=TESTER,
    )
