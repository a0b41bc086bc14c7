"""What the ledger says of model versions must match their rows."""

from governance.audit.recording.reconciling import Pairing, declare_checks, declare_kept
from governance.registry.entries import ModelVersionRegistered
from governance.registry.models import ModelVersion

VERSIONS = Pairing(
    code="model_version",
    noun="model version",
    rows="SELECT id::text AS key, id AS ord, * FROM registry_modelversion",
    entries=(ModelVersionRegistered,),
    key="e.subject_id",
    differs={
        "version": ("r.version", "e.data ->> 'version'"),
        "artifact_sha256": ("r.artifact_sha256", "e.data ->> 'artifact_sha256'"),
        "artifact_size": ("r.artifact_size", "(e.data ->> 'artifact_size')::numeric"),
    },
)

declare_checks(VERSIONS)
declare_kept("model_version", ModelVersion)
