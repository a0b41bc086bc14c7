"""Closed vocabularies of the catalogue."""

from django.db.models import TextChoices

from governance.pictures.types import LeftOutKind, Metadata


class CreatorStatus(TextChoices):
    ACTIVE = "active", "Active"
    SUSPENDED = "suspended", "Suspended"


class AssetStatus(TextChoices):
    ACTIVE = "active", "Active"
    IN_REVIEW = "in_review", "Waiting for review"
    QUARANTINED = "quarantined", "Quarantined"


class ReviewCause(TextChoices):
    """Why an upload waits for a person. Only the console says it."""

    SAME_BYTES = "same_bytes", "Another creator's work has the same bytes"
    SPOT_CHECK = "spot_check", "Spot check"


class ReviewDecision(TextChoices):
    """What a person decided on an upload."""

    ACCEPTED = "accepted", "Accepted"
    REFUSED = "refused", "Refused"
    MOVED = "moved", "Moved to this creator"


class GrantKind(TextChoices):
    GRANT = "grant", "Grant"
    WITHDRAWAL = "withdrawal", "Withdrawal"


class GrantMethod(TextChoices):
    SIGNED_FORM = "signed_form", "Signed form"
    CREATOR_PORTAL = "creator_portal", "Creator portal"
    CONTRACT = "contract", "Contract"
    EMAIL = "email", "E-mail"
    CONSOLE = "console", "Entered by the governance team"


class ConsentState(TextChoices):
    """The state of consent that the recorded statements result in at a moment."""

    NONE = "none", "No statement"
    ACTIVE = "active", "Active"
    WITHDRAWN = "withdrawn", "Withdrawn"
    EXPIRED = "expired", "Expired"


class ConsentSource(TextChoices):
    OWN = "own", "The work's own statement"
    DEFAULT = "default", "The creator's default"
    NONE = "none", "No statement"


class ProposalState(TextChoices):
    """Where a proposal of versioned policy stands."""

    OPEN = "open", "Waiting for review"
    IN_FORCE = "in_force", "In force"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"


class Direction(TextChoices):
    """How a new version permits compared with the one in force. Only what is provably narrower needs one person."""

    NARROWER = "narrower", "Narrower"
    WIDER = "wider", "Wider"
    MIXED = "mixed", "Narrower, with another label"
    LABEL = "label", "Label only"


class LeftOut(TextChoices):
    """What a file may hold behind its picture, which nobody looks at and nobody gets."""

    GAIN_MAP = LeftOutKind.GAIN_MAP.value, "a gain map for bright screens"
    FURTHER_PICTURE = LeftOutKind.FURTHER_PICTURE.value, "further pictures"
    VIDEO = LeftOutKind.VIDEO.value, "a video"
    TRAILING_BYTES = LeftOutKind.TRAILING_BYTES.value, "bytes behind the end"


class FileMetadata(TextChoices):
    """Kinds of metadata in a file. They stay in the stored original, and nothing derived from it has them."""

    EXIF = Metadata.EXIF.value, "EXIF"
    PLACE = Metadata.PLACE.value, "place (GPS)"
    AUTHOR = Metadata.AUTHOR.value, "author"
    DEVICE = Metadata.DEVICE.value, "device"
    THUMBNAIL = Metadata.THUMBNAIL.value, "thumbnail"
    XMP = Metadata.XMP.value, "XMP"
    IPTC = Metadata.IPTC.value, "IPTC"
    TEXT = Metadata.TEXT.value, "text"
    COLOUR_PROFILE = Metadata.COLOUR_PROFILE.value, "colour profile"
    CONTENT_CREDENTIALS = Metadata.CONTENT_CREDENTIALS.value, "content credentials"
    OTHER = Metadata.OTHER.value, "other"
