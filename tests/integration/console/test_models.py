"""Licences, model versions and works in the console."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from governance.audit.models import OutboxEntry
from governance.catalog.models import Asset
from governance.console.presentation import page_url
from governance.kernel.vocabulary import Purpose
from governance.registry.models import Model, ModelLicenceProposal, ModelVersion
from tests.factories.licences import make_licence
from tests.factories.marketplace import CONFIG, WEIGHTS, png
from tests.factories.registry import LicenceFactory
from tests.html_forms import as_sent

ADD = "admin:registry_modelversion_add"


@pytest.fixture
def steward(person):
    return person("Model steward")


def upload(market, **changes):
    artifact = SimpleUploadedFile("espcn.safetensors", WEIGHTS.read_bytes())
    data = {
        "model": market.version.model.pk,
        "version": "1.1.0",
        "runtime": "torch_espcn",
        "artifact": artifact,
        "config": '{"scale": 2}',
    }
    return data | changes


def test_a_version_is_registered_with_its_artifact(market, steward):
    answer = steward.post(reverse(ADD), upload(market))
    version = ModelVersion.objects.get(version="1.1.0")
    assert answer.url == page_url(version)
    assert (version.stage, version.config, version.artifact_size) == ("staging", {"scale": 2}, WEIGHTS.stat().st_size)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("artifact", {"artifact": SimpleUploadedFile("x.safetensors", b"no tensors at all")}),
        ("version", {"version": "v1"}),
        ("version", {"version": "1.0.0"}),
        ("config", {"config": "[]"}),
        ("config", {"config": "{"}),
        ("runtime", {"runtime": "magic"}),
    ],
)
def test_what_cannot_be_registered_is_reported_at_the_field(field, changes, market, steward):
    answer = steward.post(reverse(ADD), upload(market, **changes))
    assert field in answer.context["form"].errors
    assert ModelVersion.objects.count() == 1


def test_a_version_moves_to_production_and_gets_the_alias(market, steward):
    steward.post(reverse(ADD), upload(market))
    version = ModelVersion.objects.get(version="1.1.0")
    alias = reverse("admin:registry_modelversion_alias", args=[version.pk])
    early = steward.post(alias, {"name": "production"})
    assert "may not point to a version in stage staging" in early.content.decode()
    steward.post(reverse("admin:registry_modelversion_stage", args=[version.pk]), {"stage": "production"})
    steward.post(alias, {"name": "production"})
    assert [each.name for each in version.aliases.all()] == ["production"]
    assert OutboxEntry.objects.latest("id").kind == "model.alias_set"
    assert "production" in steward.get(page_url(version.model)).content.decode()


def test_only_allowed_stages_are_offered(market, steward):
    url = reverse("admin:registry_modelversion_stage", args=[market.version.pk])
    offered = [value for value, _ in steward.get(url).context["form"].fields["stage"].choices]
    assert offered == ["staging", "retired"]
    answer = steward.post(url, {"stage": "production"})
    assert "stage" in answer.context["form"].errors


def test_a_model_is_added_changed_and_deleted_through_the_services(market, steward):
    licence = market.version.model.licence
    entered = {"name": "Sharpen", "slug": "sharpen", "task": "upscale", "owner": "assent-labs", "licence": licence.pk}
    steward.post(reverse("admin:registry_model_add"), entered)
    model = Model.objects.get(slug="sharpen")
    steward.post(page_url(model), as_sent(steward.get(page_url(model)).text) | {"name": ["Sharpen more"]})
    model.refresh_from_db()
    assert (model.name, model.slug, model.licence) == ("Sharpen more", "sharpen", licence)

    steward.post(reverse("admin:registry_model_delete", args=[model.pk]), {"post": "yes"})

    kinds = OutboxEntry.objects.filter(subject_id=str(model.pk)).order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["model.created", "model.changed", "model.deleted"]
    assert not Model.objects.filter(slug="sharpen").exists()


def test_a_model_is_put_under_another_licence(market, steward):
    model = market.version.model
    strict = LicenceFactory(slug="strict", name="Strict")
    url = reverse("admin:registry_model_licence", args=[model.pk])
    stale = as_sent(steward.get(url).text)

    assert steward.post(url, stale | {"licence": [str(strict.pk)]}).url == page_url(model)
    assert "The model was changed meanwhile." in steward.post(url, stale).text

    model.refresh_from_db()
    assert model.licence == strict
    assert "Strict" in steward.get(page_url(model)).text


def test_a_model_moves_to_a_wider_licence_by_two_people(market, steward, person):
    approver, model = person("Policy approver"), market.version.model
    wide = make_licence("wide", name="Wide", purposes=list(Purpose))
    narrow_page = reverse("admin:registry_model_licence", args=[model.pk])
    refused = steward.post(narrow_page, as_sent(steward.get(narrow_page).text) | {"licence": [str(wide.pk)]})
    assert "Propose the move; somebody else approves it." in refused.text

    url = steward.post(
        reverse("admin:registry_model_propose", args=[model.pk]), {"licence": wide.pk, "reason": "Asked"}
    ).url
    proposal = ModelLicenceProposal.objects.get()
    shown = steward.get(url).text
    assert url == page_url(proposal)
    assert "Open licence, version 1" in shown
    assert "You wrote a part of this proposal." in shown
    assert page_url(proposal) in steward.get(page_url(model)).text
    approve = reverse("admin:registry_modellicenceproposal_approve", args=[proposal.pk])
    assert steward.get(approve).status_code == 200
    assert "somebody else must approve it" in steward.post(approve, {"digest": proposal.digest}).text
    assert "Moves of models" in approver.get(reverse("admin:index")).text

    approver.post(approve, as_sent(approver.get(approve).text))

    model.refresh_from_db()
    assert model.licence == wide
    assert "Wide, version 1" in approver.get(url).text


def test_a_proposed_move_is_edited_rejected_and_listed(market, steward, person):
    wide = make_licence("wide", name="Wide", purposes=list(Purpose))
    wider = make_licence("wider", name="Wider", purposes=list(Purpose))
    propose = reverse("admin:registry_model_propose", args=[market.version.model.pk])
    steward.post(propose, {"licence": wide.pk, "reason": "Asked"})
    proposal = ModelLicenceProposal.objects.get()
    edit = reverse("admin:registry_modellicenceproposal_edit", args=[proposal.pk])
    steward.post(edit, as_sent(steward.get(edit).text) | {"licence": [str(wider.pk)]})
    proposal.refresh_from_db()
    assert (proposal.wanted.licence, proposal.reason) == (wider, "Asked")
    assert "Asked" in steward.get(reverse("admin:registry_modellicenceproposal_changelist")).text
    auditor = person("Auditor")
    assert [auditor.get(each).status_code for each in (propose, edit, page_url(proposal))] == [403, 403, 200]
    reject = reverse("admin:registry_modellicenceproposal_reject", args=[proposal.pk])
    person("Policy approver").post(reject, {"comment": "No"})
    proposal.refresh_from_db()
    assert proposal.state == "rejected"


def test_a_model_that_is_not_valid_is_refused_at_the_field(market, steward):
    licence = market.version.model.licence
    good = {"name": "Sharpen", "slug": "sharpen", "task": "upscale", "owner": "assent-labs", "licence": licence.pk}
    for field, value in {"slug": "espcn-x2", "task": "paint", "owner": "two words", "licence": ""}.items():
        answer = steward.post(reverse("admin:registry_model_add"), good | {field: value})
        assert field in answer.context["form"].errors
    assert Model.objects.count() == 1


def test_a_work_is_taken_in_through_the_service(market, person):
    manager = person("Governance manager")
    file = SimpleUploadedFile("dawn.png", png(40, 30))
    answer = manager.post(reverse("admin:catalog_asset_add"), {"creator": market.creator.pk, "title": "", "file": file})
    work = Asset.objects.get(title="dawn.png")
    assert answer.url == page_url(work)
    assert (work.width, work.height, work.uploaded_by_id) == (40, 30, str(manager.user.pk))


def test_a_file_that_is_no_image_is_refused_at_the_field(market, person):
    file = SimpleUploadedFile("dawn.png", b"not an image")
    answer = person("Governance manager").post(
        reverse("admin:catalog_asset_add"), {"creator": market.creator.pk, "file": file}
    )
    assert answer.context["form"].errors["file"]
    assert Asset.objects.count() == 1


def test_the_configuration_of_a_version_is_shown(market, steward):
    page = steward.get(page_url(market.version)).content.decode()
    assert all(f"&quot;{name}&quot;" in page for name in CONFIG)
