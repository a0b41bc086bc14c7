import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from governance.audit.models import OutboxEntry
from governance.catalog.errors import UploadTooLarge
from governance.catalog.objects import read_verified
from governance.kernel.canonical import sha256_hex
from governance.kernel.errors import GovernanceError
from governance.registry import services
from governance.registry.choices import Stage
from governance.registry.errors import (
    AliasRefused,
    ArtifactMalformed,
    ModelVersionExists,
    ModelVersionInvalid,
    StageRefused,
)
from governance.registry.models import Model, ModelAlias, ModelVersion
from governance.registry.states import VERSIONS
from tests.factories.registry import (
    ACTOR,
    ModelAliasFactory,
    ModelFactory,
    ModelVersionFactory,
    safetensors_bytes,
    stored_version,
)
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db


def recorded(kind: str) -> list[dict[str, Any]]:
    """Return the ledger entries of a kind, as they were written."""
    return [json.loads(bytes(entry.body)) for entry in OutboxEntry.objects.filter(kind=kind).order_by("id")]


def header(content: object, *, length: int | None = None, data: bytes = b"") -> bytes:
    """Return a safetensors file with any header: eight bytes of length, JSON, data."""
    text = json.dumps(content).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def tensor(start: int, end: int, *, dtype: str = "F32", shape: tuple[int, ...] = (1,)) -> dict[str, object]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}


def files_under(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def aliases() -> dict[str, str]:
    return dict(ModelAlias.objects.values_list("name", "version__version"))


@pytest.fixture
def model() -> Model:
    return ModelFactory(slug="espcn")


def test_a_version_is_kept_in_staging_with_its_artifact_in_storage(model: Model, object_root: Path) -> None:
    data = safetensors_bytes(seed=1)

    version = stored_version(model=model, version="1.0.0", data=data, config={"scale": 2})

    kept = ModelVersion.objects.get()
    assert kept == version
    assert (kept.model, kept.version, kept.stage, kept.config) == (model, "1.0.0", Stage.STAGING, {"scale": 2})
    assert (kept.artifact_sha256, kept.artifact_size) == (sha256_hex(data), len(data))
    assert read_verified(kept.artifact_object, kept.artifact_sha256) == data


def test_a_version_is_in_the_ledger_with_its_digests(model: Model) -> None:
    version = stored_version(model=model, config={"scale": 2})

    [entry] = recorded("model.version_registered")
    assert entry["subject"] == {"type": "model_version", "id": str(version.id)}
    assert entry["data"] == {
        "model": "espcn",
        "version": "1.0.0",
        "artifact_sha256": version.artifact_sha256,
        "artifact_size": version.artifact_size,
        "runtime": "torch_espcn",
        "config_sha256": sha256_hex(b'{"scale":2}'),
        "before": None,
        "after": VERSIONS.state(version),
    }


@pytest.mark.parametrize("version", ["1", "1.0.0", "2026.11.20-rc.1+gpu", "0_9", "1" * 50])
def test_versions_begin_with_a_digit(model: Model, version: str) -> None:
    assert stored_version(model=model, version=version).version == version


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("version", {"version": "v1"}),
        ("version", {"version": "production"}),
        ("version", {"version": ""}),
        ("version", {"version": "1 0"}),
        ("version", {"version": "1.0\n"}),
        ("version", {"version": "1" * 51}),
        ("runtime", {"runtime": "pickle"}),
        ("config", {"config": {"scale": float("nan")}}),
        ("config", {"config": {"scale": object()}}),
        ("config", {"config": {"text": "x" * 70_000}}),
    ],
)
def test_what_is_wrong_names_its_field_before_anything_is_read(
    model: Model, field: str, said: dict[str, Any], object_root: Path
) -> None:
    sound = {"model": model, "version": "1", "runtime": "torch_espcn", "config": {}, "actor": ACTOR}

    with pytest.raises(ModelVersionInvalid) as refusal:
        services.register_version(**{"artifact": io.BytesIO(safetensors_bytes())} | sound | said)

    assert refusal.value.details == {"field": field}
    assert not object_root.exists()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\x04K\x01.",
        b"PK\x03\x04 a zip of pickles",
        safetensors_bytes()[:-1],
        safetensors_bytes() + b"x",
        safetensors_bytes()[:20],
        header({}),
        header([]),
        header({"w": tensor(0, 4)}, length=2**63),
        header({"w": tensor(0, 4)}, length=1_000_000, data=bytes(4)),
        header({"w": tensor(0, 4)}),
        header({"w": tensor(0, 8)}, data=bytes(8)),
        header({"w": tensor(4, 8)}, data=bytes(8)),
        header({"a": tensor(0, 4), "b": tensor(0, 4)}, data=bytes(4)),
        header({"a": tensor(0, 4), "b": tensor(8, 12)}, data=bytes(12)),
        header({"w": tensor(0, 4, dtype="PY_OBJECT")}, data=bytes(4)),
        header({"w": tensor(0, 4, shape=(-1,))}, data=bytes(4)),
        header({"w": tensor(0, 4, shape=(2**62, 2**62))}, data=bytes(4)),
    ],
)
def test_a_file_that_is_not_sound_is_refused_and_leaves_nothing(model: Model, data: bytes, object_root: Path) -> None:
    with pytest.raises(ArtifactMalformed) as refusal:
        services.register_version(
            model=model, version="1", artifact=io.BytesIO(data), runtime="torch_espcn", config={}, actor=ACTOR
        )

    assert refusal.value.error_code == "artifact_malformed"
    assert files_under(object_root) == []
    assert (ModelVersion.objects.count(), OutboxEntry.objects.count()) == (0, 0)


def test_a_file_that_is_too_large_is_refused_and_leaves_nothing(
    model: Model, settings: Settings, object_root: Path
) -> None:
    settings.ASSENT_MAX_ARTIFACT_BYTES = 100

    with pytest.raises(UploadTooLarge):
        stored_version(model=model)

    assert files_under(object_root) == []


def test_a_version_cannot_be_registered_again(model: Model) -> None:
    stored_version(model=model)

    with pytest.raises(ModelVersionExists):
        stored_version(model=model, data=safetensors_bytes(seed=9))

    assert len(recorded("model.version_registered")) == 1
    assert stored_version(model=ModelFactory()).version == "1.0.0"


@pytest.mark.parametrize(
    ("before", "after"),
    [("staging", "production"), ("staging", "retired"), ("production", "staging"), ("production", "retired")],
)
def test_stages_that_may_follow(before: str, after: str) -> None:
    version = ModelVersionFactory(stage=before)

    services.set_stage(version=version, stage=Stage(after), actor=ACTOR)

    assert ModelVersion.objects.get().stage == version.stage == after
    [entry] = recorded("model.stage_changed")
    assert (entry["data"]["from"], entry["data"]["to"]) == (before, after)
    assert (entry["data"]["before"]["stage"], entry["data"]["after"]["stage"]) == (before, after)
    assert entry["data"]["after"] == VERSIONS.state(version)


@pytest.mark.parametrize("after", ["staging", "production"])
def test_what_is_retired_stays_retired(after: str) -> None:
    version = ModelVersionFactory(stage=Stage.RETIRED)

    with pytest.raises(StageRefused):
        services.set_stage(version=version, stage=Stage(after), actor=ACTOR)

    assert ModelVersion.objects.get().stage == version.stage == Stage.RETIRED


def test_the_same_stage_again_is_not_recorded() -> None:
    services.set_stage(version=ModelVersionFactory(), stage=Stage.STAGING, actor=ACTOR)

    assert recorded("model.stage_changed") == []


def test_retiring_a_version_takes_its_aliases_away(model: Model) -> None:
    bad, good = ModelVersionFactory.create_batch(2, model=model, stage=Stage.PRODUCTION)
    ModelAliasFactory(version=bad)
    ModelAliasFactory(version=bad, name="stable")
    ModelAliasFactory(version=good, name="canary")

    services.set_stage(version=bad, stage=Stage.RETIRED, actor=ACTOR)

    assert aliases() == {"canary": good.version}
    removed = recorded("model.alias_removed")
    assert [entry["data"]["alias"] for entry in removed] == ["production", "stable"]
    assert {entry["data"]["version"] for entry in removed} == {bad.version}
    names = [(sorted(each["data"]["before"]["aliases"]), sorted(each["data"]["after"]["aliases"])) for each in removed]
    assert names == [(["canary", "production", "stable"], ["canary", "stable"]), (["canary", "stable"], ["canary"])]


def test_going_back_to_staging_takes_only_the_production_alias_away(model: Model) -> None:
    version = ModelVersionFactory(model=model, stage=Stage.PRODUCTION)
    ModelAliasFactory(version=version)
    ModelAliasFactory(version=version, name="canary")

    services.set_stage(version=version, stage=Stage.STAGING, actor=ACTOR)

    assert aliases() == {"canary": version.version}


def test_an_alias_is_set_moved_and_recorded(model: Model) -> None:
    first, second = ModelVersionFactory.create_batch(2, model=model, stage=Stage.PRODUCTION)

    services.set_alias(model=model, name="production", version=first, actor=ACTOR)
    services.set_alias(model=model, name="production", version=second, actor=ACTOR)

    assert aliases() == {"production": second.version}
    entries = recorded("model.alias_set")
    assert [entry["data"]["version"] for entry in entries] == [first.version, second.version]
    assert entries[0]["subject"] == {"type": "model", "id": str(model.id)}
    assert [each["data"]["before"]["aliases"] for each in entries] == [{}, {"production": first.version}]
    assert [each["data"]["after"]["aliases"] for each in entries] == [
        {"production": first.version},
        {"production": second.version},
    ]


def test_an_alias_that_points_there_already_is_not_recorded(model: Model) -> None:
    version = ModelVersionFactory(model=model, stage=Stage.PRODUCTION)

    services.set_alias(model=model, name="production", version=version, actor=ACTOR)
    services.set_alias(model=model, name="production", version=version, actor=ACTOR)

    assert len(recorded("model.alias_set")) == 1


@pytest.mark.parametrize(
    ("name", "stage"), [("production", "staging"), ("production", "retired"), ("canary", "retired")]
)
def test_an_alias_points_only_where_it_may(model: Model, name: str, stage: str) -> None:
    with pytest.raises(AliasRefused):
        services.set_alias(model=model, name=name, version=ModelVersionFactory(model=model, stage=stage), actor=ACTOR)

    assert aliases() == {}


def test_the_stage_that_counts_is_the_one_on_record(model: Model) -> None:
    version = ModelVersionFactory(model=model, stage=Stage.PRODUCTION)
    ModelVersion.objects.update(stage=Stage.RETIRED)

    with pytest.raises(AliasRefused):
        services.set_alias(model=model, name="production", version=version, actor=ACTOR)


def test_an_alias_points_to_a_version_of_its_model(model: Model) -> None:
    with pytest.raises(ModelVersionInvalid) as refusal:
        services.set_alias(model=model, name="canary", version=ModelVersionFactory(), actor=ACTOR)

    assert refusal.value.details == {"field": "version"}


@pytest.mark.parametrize("name", ["", "1.0.0", "Production", "two words", "-x", "x" * 51, "canary\n"])
def test_an_alias_is_never_taken_for_a_version(model: Model, name: str) -> None:
    with pytest.raises(ModelVersionInvalid) as refusal:
        services.set_alias(model=model, name=name, version=ModelVersionFactory(model=model), actor=ACTOR)

    assert refusal.value.details == {"field": "name"}


@pytest.mark.django_db(transaction=True)
def test_of_two_who_register_the_same_version_one_succeeds() -> None:
    model, start = ModelFactory(), threading.Barrier(2)

    def register(seed: int) -> str:
        start.wait(PATIENCE_SECONDS)
        try:
            return stored_version(model=model, data=safetensors_bytes(seed=seed)).version
        except GovernanceError as error:
            return error.error_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(register, [1, 2])) == ["1.0.0", "model_version_exists"]
    assert len(recorded("model.version_registered")) == 1
