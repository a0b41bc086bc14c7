"""Errors of the catalogue. Those about input name the field they are about in `details["field"]`."""

from governance.kernel.errors import Conflict, Forbidden, IntegrityFault, InvalidInput, LimitExceeded, Unavailable


class ConsentInvalid(InvalidInput):
    """A statement of consent contradicts itself or names something unknown."""

    code = "consent_invalid"
    title = "The consent statement is not valid"


class ConsentLevelInvalid(InvalidInput):
    """A consent level cannot be kept as it is."""

    code = "consent_level_invalid"
    title = "The consent level is not valid"


class CreatorInvalid(InvalidInput):
    """What is said about a creator cannot be accepted."""

    code = "creator_invalid"
    title = "The creator is not valid"


class DatasetInvalid(InvalidInput):
    """What is said about a dataset cannot be accepted."""

    code = "dataset_invalid"
    title = "The dataset is not valid"


class DatasetNotEmpty(Conflict):
    """A dataset that still has works cannot be deleted."""

    code = "dataset_not_empty"
    title = "The dataset has works"


class AssetInvalid(InvalidInput):
    """What is said about an asset cannot be accepted."""

    code = "asset_invalid"
    title = "The asset is not valid"


class MediaRefused(InvalidInput):
    """An upload is not an image that can be taken in.

    Codes: `media_type_unsupported` (another type, animated, several pictures), `media_undecodable` (damaged, cut off,
    or more than an image), `image_too_large`, `image_too_small`.
    """

    code = "media_undecodable"
    title = "The image cannot be accepted"


class UploadTooLarge(LimitExceeded):
    """A stream went past the number of bytes that are taken in."""

    code = "upload_too_large"
    title = "The upload is too large"


class ObjectMissing(IntegrityFault):
    """An object that is on record is not in storage."""

    code = "object_missing"
    title = "A stored object is missing"


class ObjectAltered(IntegrityFault):
    """The bytes of a stored object are not those that were stored."""

    code = "object_altered"
    title = "A stored object was altered"


class ObjectStoreUnavailable(Unavailable):
    """Object storage cannot be read or written."""

    code = "object_store_unavailable"
    title = "Object storage is unavailable"


class UploadNotAuthorised(Forbidden):
    """A partner registers a work for a creator who has not named it as one that may."""

    code = "upload_not_authorised"
    title = "You may not register works for this creator"


class AssetClaimed(Conflict):
    """The same bytes are in the catalogue as the work of another creator, whose consent would be evaded."""

    code = "asset_claimed"
    title = "The work is registered for another creator"


class CreatorErased(Conflict):
    """The creator's personal data was deleted; that cannot be done twice, nor undone."""

    code = "creator_erased"
    title = "The creator's data was erased"
