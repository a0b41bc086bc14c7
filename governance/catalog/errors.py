"""Errors of the catalogue. Errors about input name the field in `details["field"]`."""

from governance.kernel.errors import Conflict, Forbidden, IntegrityFault, InvalidInput, LimitExceeded, Unavailable


class ConsentInvalid(InvalidInput):
    """A statement of consent contradicts itself or names something unknown."""

    code = "consent_invalid"
    title = "The consent statement is not valid"


class ConsentLevelInvalid(InvalidInput):
    """A consent level is not valid."""

    code = "consent_level_invalid"
    title = "The consent level is not valid"


class CreatorInvalid(InvalidInput):
    """The details of a creator are not valid."""

    code = "creator_invalid"
    title = "The creator is not valid"


class DatasetInvalid(InvalidInput):
    """The details of a dataset are not valid."""

    code = "dataset_invalid"
    title = "The dataset is not valid"


class DatasetNotEmpty(Conflict):
    """A dataset that still has works cannot be deleted."""

    code = "dataset_not_empty"
    title = "The dataset has works"


class AssetInvalid(InvalidInput):
    """The details of an asset are not valid."""

    code = "asset_invalid"
    title = "The asset is not valid"


class UploadTooLarge(LimitExceeded):
    """A stream exceeds the number of bytes that are accepted."""

    code = "upload_too_large"
    title = "The upload is too large"


class ObjectMissing(IntegrityFault):
    """An object that is on record is not in storage."""

    code = "object_missing"
    title = "A stored object is missing"


class ObjectAltered(IntegrityFault):
    """The bytes of a stored object have changed."""

    code = "object_altered"
    title = "A stored object was altered"


class ObjectStoreUnavailable(Unavailable):
    """Object storage cannot be read or written."""

    code = "object_store_unavailable"
    title = "Object storage is unavailable"


class UploadNotAuthorised(Forbidden):
    """A partner registers a work for a creator who has not authorised it to do so."""

    code = "upload_not_authorised"
    title = "You may not register works for this creator"


class ReviewInvalid(InvalidInput):
    """A decision on an upload that waits for review cannot be accepted."""

    code = "review_invalid"
    title = "The decision is not valid"


class ReviewDecides(Conflict):
    """The status of the work follows from the decision on a claim, or waits for it."""

    code = "review_decides"
    title = "A claim decides on this work"


class ReviewDecided(Conflict):
    """The claim was decided in this way already."""

    code = "review_decided"
    title = "The claim was decided on"


class OwnUpload(Forbidden):
    """Nobody decides on an upload of their own."""

    code = "own_upload"
    title = "Somebody else has to decide on it"


class CreatorErased(Conflict):
    """The creator's personal data was deleted; that cannot be done twice, nor undone."""

    code = "creator_erased"
    title = "The creator's data was erased"


class ProposalInvalid(InvalidInput):
    """What is said in or about a proposal cannot be accepted."""

    code = "proposal_invalid"
    title = "The proposal is not valid"


class NothingChanged(Conflict):
    """The proposal says what is in force already."""

    code = "nothing_changed"
    title = "Nothing would change"


class ProposalClosed(Conflict):
    """The proposal was decided on already."""

    code = "proposal_closed"
    title = "The proposal was decided on"


class ProposalEdited(Conflict):
    """The proposal is no longer what the person saw."""

    code = "proposal_edited"
    title = "The proposal was edited"


class ProposalStale(Conflict):
    """Another version came into force since the proposal was written, so it would undo what nobody looked at."""

    code = "proposal_stale"
    title = "Another version came into force"


class OwnProposal(Forbidden):
    """Nobody approves a widening that they wrote any part of, and nobody takes back what others wrote."""

    code = "own_proposal"
    title = "Authors do not approve their own work"
