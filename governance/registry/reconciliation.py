"""What the ledger says of model versions must match their rows."""

from governance.audit.recording.reconciling import Pairing, declare_checks, declare_kept, moment
from governance.registry.entries import LicenceAdopted, LicenceVersionInForce, ModelVersionRegistered
from governance.registry.models import Licence, LicenceProposal, ModelLicenceProposal, ModelVersion

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

# A version 1 from before versions were on record has an entry of its own.
LICENCE_VERSIONS = Pairing(
    code="licence_version",
    noun="version of licence",
    rows="SELECT licence_id || ' version ' || number AS key, created_at AS ord, * FROM registry_licenceversion",
    entries=(LicenceAdopted, LicenceVersionInForce),
    key="e.subject_id || ' version ' || (e.data -> 'after' ->> 'version')",
    differs={
        "name": ("r.name", "e.data -> 'after' ->> 'name'"),
        "purposes": ("to_jsonb(r.purposes)", "e.data -> 'after' -> 'purposes'"),
        "regions": ("to_jsonb(r.regions)", "e.data -> 'after' -> 'regions'"),
        "partners": ("to_jsonb(r.partners)", "e.data -> 'after' -> 'partners'"),
        "valid_from": ("r.valid_from", moment("e.data -> 'after' ->> 'valid_from'")),
        "valid_until": ("r.valid_until", moment("e.data -> 'after' ->> 'valid_until'")),
        "obligations": ("r.obligations", "e.data -> 'after' -> 'obligations'"),
    },
)

declare_checks(VERSIONS, LICENCE_VERSIONS)
declare_kept("licence", Licence)
declare_kept("licence_proposal", LicenceProposal)
declare_kept("model_licence_proposal", ModelLicenceProposal)
declare_kept("model_version", ModelVersion)
