"""The closed vocabularies of the product: actions and purposes (NIST SP 800-162 and XACML 3.0 use of the words)."""

from enum import StrEnum


class Action(StrEnum):
    """What a subject may ask to do with a resource."""

    ASSET_PREVIEW = "asset.preview"
    ASSET_INFER = "asset.infer"
    ASSET_TRAIN = "asset.train"
    ASSET_EXPORT = "asset.export"
    MODEL_INVOKE = "model.invoke"
    MODEL_TRAIN = "model.train"
    MODEL_DEPLOY = "model.deploy"
    OUTPUT_RELEASE = "output.release"
    MODERATION_RUN = "moderation.run"


class Purpose(StrEnum):
    """The purpose of a request. Purposes have no order: a creator may allow training but no derivative use."""

    RESEARCH = "research"
    NON_COMMERCIAL = "non_commercial"
    COMMERCIAL = "commercial"
    DERIVATIVE_COMMERCIAL = "derivative_commercial"


ACTION_LABELS = {
    Action.ASSET_PREVIEW: "Preview a work",
    Action.ASSET_INFER: "Run inference on a work",
    Action.ASSET_TRAIN: "Train on a work",
    Action.ASSET_EXPORT: "Export a work",
    Action.MODEL_INVOKE: "Invoke a model",
    Action.MODEL_TRAIN: "Train a model",
    Action.MODEL_DEPLOY: "Deploy a model",
    Action.OUTPUT_RELEASE: "Release an output",
    Action.MODERATION_RUN: "Run moderation",
}

PURPOSE_LABELS = {
    Purpose.RESEARCH: "Research",
    Purpose.NON_COMMERCIAL: "Non-commercial",
    Purpose.COMMERCIAL: "Commercial",
    Purpose.DERIVATIVE_COMMERCIAL: "Derivative commercial",
}

#: What a token must cover to register works. Creators say whose partners may; policy is not asked.
UPLOAD = "asset.upload"
TOKEN_ACTION_LABELS: dict[str, str] = {
    **{action.value: label for action, label in ACTION_LABELS.items()},
    UPLOAD: "Upload a work",
}
TOKEN_ACTIONS = frozenset(TOKEN_ACTION_LABELS)

ACTION_CHOICES = [(action.value, label) for action, label in ACTION_LABELS.items()]
TOKEN_ACTION_CHOICES = [*TOKEN_ACTION_LABELS.items()]
PURPOSE_CHOICES = [(purpose.value, label) for purpose, label in PURPOSE_LABELS.items()]
