"""Kinds of ledger entries of the model registry."""

from typing import Annotated, Self
from uuid import UUID

from governance.audit.recording.declarations import Entry, entry
from governance.audit.recording.states import State, StateEntry
from governance.catalog.proposals import ProposalChanged
from governance.registry.models import ModelVersion
from governance.registry.states import (
    LICENCE_PROPOSAL_SUBJECT,
    LICENCE_SUBJECT,
    MODEL_LICENCE_PROPOSAL_SUBJECT,
    MODEL_SUBJECT,
    VERSION_SUBJECT,
)


@entry("model.created", subject=MODEL_SUBJECT)
class ModelCreated(StateEntry):
    """A model was added to the registry."""

    fields: Annotated[tuple[str, ...], "Names of the fields that were filled in."]


@entry("model.changed", subject=MODEL_SUBJECT)
class ModelChanged(StateEntry):
    """The details of a model or its licence were changed."""

    fields: Annotated[tuple[str, ...], "Names of the fields that were changed."]


@entry("model.licence_changed", subject=MODEL_SUBJECT, since="0.3")
class ModelLicenceChanged(StateEntry):
    """A model was put under another licence by a proposal: approved by a second person, or provably narrower."""

    licence_before: Annotated[str, "The licence before and its version, such as `strict/2`."]
    licence_after: Annotated[str, "The licence from now on and its version."]
    proposal: Annotated[UUID, "Id of the proposal that it was."]
    direction: Annotated[str, "`narrower` or `wider`."]
    authors: Annotated[tuple[str, ...], "Who wrote any of it."]
    approved_by: Annotated[str, "Who put it into force: none of the authors, unless it is narrower."]


@entry("model.deleted", subject=MODEL_SUBJECT)
class ModelDeleted(StateEntry):
    """A model without versions was deleted."""


@entry("model.adopted", subject=MODEL_SUBJECT, since="0.2")
class ModelAdopted(StateEntry):
    """A model older than recorded states was recorded as it was at the upgrade."""


@entry("model.alias_set", subject=MODEL_SUBJECT)
class ModelAliasSet(StateEntry):
    """An alias of a model was created or moved to another version."""

    model: Annotated[str, "Slug of the model."]
    version: Annotated[str, "The version that the alias points to from now on."]
    artifact_sha256: Annotated[str, "SHA-256 of that version's artifact."]
    alias: Annotated[str, "Name of the alias."]


@entry("model.alias_removed", subject=MODEL_SUBJECT)
class ModelAliasRemoved(StateEntry):
    """An alias of a model was removed, because the stage of its version no longer allows it."""

    model: Annotated[str, "Slug of the model."]
    version: Annotated[str, "The version that the alias pointed to."]
    artifact_sha256: Annotated[str, "SHA-256 of that version's artifact."]
    alias: Annotated[str, "Name of the alias."]


@entry("model.version_registered", subject=VERSION_SUBJECT)
class ModelVersionRegistered(StateEntry):
    """A new model version was registered with its artifact."""

    model: Annotated[str, "Slug of the model."]
    version: Annotated[str, "The version."]
    artifact_sha256: Annotated[str, "SHA-256 of the artifact."]
    runtime: Annotated[str, "Name of the runtime that loads the artifact."]
    config_sha256: Annotated[str, "SHA-256 of the runtime's configuration as canonical JSON."]
    artifact_size: Annotated[int, "Size of the artifact in bytes."]

    @classmethod
    def of(cls, version: ModelVersion, state: State) -> Self:
        """Return the entry about a new version."""
        return cls(
            before=None,
            after=state,
            model=version.model.slug,
            version=version.version,
            artifact_sha256=version.artifact_sha256,
            runtime=version.runtime,
            config_sha256=str(state["config_sha256"]),
            artifact_size=version.artifact_size,
        )


@entry("model.stage_changed", subject=VERSION_SUBJECT)
class ModelStageChanged(StateEntry):
    """A model version was moved to another stage."""

    model: Annotated[str, "Slug of the model."]
    version: Annotated[str, "The version."]
    artifact_sha256: Annotated[str, "SHA-256 of its artifact."]
    from_: Annotated[str, "The stage before."]
    to: Annotated[str, "The stage from now on."]


@entry("model_version.adopted", subject=VERSION_SUBJECT, since="0.2")
class ModelVersionAdopted(StateEntry):
    """A model version older than recorded states was recorded as it was at the upgrade."""


_WITHOUT_STATE = "It has no state. Licences were put on record as a whole by `licence.adopted`."


@entry("licence.created", subject=LICENCE_SUBJECT, retired="0.2", unmatched=_WITHOUT_STATE)
class LicenceCreated(Entry):
    """A licence was added in the console, before licences had versions."""

    fields: Annotated[tuple[str, ...], "Names of the fields that were filled in."]


@entry("licence.changed", subject=LICENCE_SUBJECT, retired="0.2", unmatched=_WITHOUT_STATE)
class LicenceChanged(Entry):
    """A licence was changed in the console, before licences had versions."""

    fields: Annotated[tuple[str, ...], "Names of the fields that were changed."]


@entry("licence.deleted", subject=LICENCE_SUBJECT, retired="0.2", unmatched=_WITHOUT_STATE)
class LicenceDeleted(Entry):
    """A licence that no model had was deleted in the console."""


@entry("licence.adopted", subject=LICENCE_SUBJECT, since="0.2")
class LicenceAdopted(StateEntry):
    """A licence from before its versions were on record was put on record as version 1."""


@entry("licence.version_in_force", subject=LICENCE_SUBJECT, receipt="licence-version/v1", since="0.2")
class LicenceVersionInForce(StateEntry):
    """A new version of a licence came into force: approved by a second person, or provably narrower."""

    proposal: Annotated[UUID, "Id of the proposal that it was."]
    direction: Annotated[str, "`narrower`, `wider`, `label`, or `mixed` for narrower with another label."]
    authors: Annotated[tuple[str, ...], "Who wrote any of it."]
    approved_by: Annotated[str, "Who put it into force: none of the authors, unless it is narrower."]


@entry("licence_proposal.changed", subject=LICENCE_PROPOSAL_SUBJECT, since="0.2")
class LicenceProposalChanged(ProposalChanged):
    """A proposed version of a licence was written, edited, approved, rejected or withdrawn."""


@entry("model_licence_proposal.changed", subject=MODEL_LICENCE_PROPOSAL_SUBJECT, since="0.3")
class ModelLicenceProposalChanged(ProposalChanged):
    """A proposed move of a model to another licence was written, edited, approved, rejected or withdrawn."""
