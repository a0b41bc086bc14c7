"""Requests and responses of the Authorization API 1.0 (sections 5 to 8), which says to ignore unknown members."""

from rest_framework import serializers

from governance.api.authzen.types import (
    AccessAction,
    AccessDecision,
    ActionSearch,
    BatchRequest,
    Context,
    Entity,
    EvaluationRequest,
    Options,
    PageInfo,
    PageRequest,
    Results,
)

MAX_EVALUATIONS = 100
MAX_PAGE = 200
DEFAULT_PAGE = 50
SEMANTICS = ("execute_all", "deny_on_first_deny", "permit_on_first_permit")


class TextField(serializers.CharField):
    """A JSON string. A number is refused, not turned into text."""

    def __init__(self, *, required: bool | None = None, allow_blank: bool = False, help_text: str = "") -> None:
        """Make a field for texts of at most 200 characters."""
        super().__init__(
            max_length=200,
            trim_whitespace=False,
            required=required,
            allow_blank=allow_blank,
            help_text=help_text or None,
        )

    def to_internal_value(self, data: object) -> str:
        """Return the text. Raises ValidationError."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class EntityTypeSerializer(serializers.Serializer[Entity]):
    """A type of subject or resource, in a search for it; an `id` is ignored."""

    type = TextField()


class EntitySerializer(EntityTypeSerializer):
    """A subject (section 5.1) or resource (section 5.2)."""

    id = TextField()
    properties = serializers.DictField(required=False, help_text="Accepted and ignored: attributes are looked up here.")


class AccessActionSerializer(serializers.Serializer[AccessAction]):
    """An action (section 5.3)."""

    name = TextField(help_text="Such as asset.train or model.invoke.")
    properties = serializers.DictField(required=False)


class ContextSerializer(serializers.Serializer[Context]):
    """What the question is asked for (section 5.4). Other members are ignored; the time is always now."""

    purpose = TextField(required=False, help_text="What for: research, non_commercial, commercial, ...")
    model = TextField(required=False, help_text="Slug of the model to use, for actions that take a work and a model.")


class EvaluationRequestSerializer(serializers.Serializer[EvaluationRequest]):
    """One question (section 6.1)."""

    subject = EntitySerializer()
    action = AccessActionSerializer()
    resource = EntitySerializer()
    context = ContextSerializer(required=False)  # type: ignore[assignment]


class OptionsSerializer(serializers.Serializer[Options]):
    """How a batch is evaluated (section 7.1.2)."""

    evaluations_semantic = serializers.ChoiceField(choices=SEMANTICS, default=SEMANTICS[0])


class EvaluationsRequestSerializer(serializers.Serializer[BatchRequest]):
    """A batch: the members of one question are the defaults of all (section 7.1.1); without a batch, one question."""

    subject = serializers.DictField(required=False)
    action = serializers.DictField(required=False)
    resource = serializers.DictField(required=False)
    context = serializers.DictField(required=False)  # type: ignore[assignment]
    options = OptionsSerializer(required=False)
    evaluations = serializers.ListField(child=serializers.DictField(), required=False, max_length=MAX_EVALUATIONS)


class PageRequestSerializer(serializers.Serializer[PageRequest]):
    """Which page of results (section 8.2.1)."""

    token = TextField(required=False, allow_blank=True)
    limit = serializers.IntegerField(required=False, min_value=1, max_value=MAX_PAGE)


class SubjectSearchSerializer(EvaluationRequestSerializer):
    """Who may do this with that (section 8.4)."""

    subject = EntityTypeSerializer()  # type: ignore[assignment]
    page = PageRequestSerializer(required=False)


class ResourceSearchSerializer(EvaluationRequestSerializer):
    """With what may this subject do that (section 8.5)."""

    resource = EntityTypeSerializer()  # type: ignore[assignment]
    page = PageRequestSerializer(required=False)


class ActionSearchSerializer(serializers.Serializer[ActionSearch]):
    """What may this subject do with that (section 8.6)."""

    subject = EntitySerializer()
    resource = EntitySerializer()
    context = ContextSerializer(required=False)  # type: ignore[assignment]
    page = PageRequestSerializer(required=False)


class AccessDecisionSerializer(serializers.Serializer[AccessDecision]):
    """A decision (section 5.5). `context` has the id it is on record under, and the reasons of a denial."""

    decision = serializers.BooleanField()
    context = serializers.DictField(required=False)  # type: ignore[assignment]


class EvaluationsResponseSerializer(serializers.Serializer[object]):
    """The decisions of a batch, in its order; of a single question its `decision`."""

    decision = serializers.BooleanField(required=False)
    context = serializers.DictField(required=False)  # type: ignore[assignment]
    evaluations = AccessDecisionSerializer(many=True, required=False)


class PageSerializer(serializers.Serializer[PageInfo]):
    """Where the next page begins; an empty token on the last one (section 8.2.2)."""

    next_token = serializers.CharField(allow_blank=True)
    count = serializers.IntegerField()


class EntityResultsSerializer(serializers.Serializer[Results]):
    """Subjects or resources that were found."""

    results = EntitySerializer(many=True)
    page = PageSerializer()


class ActionResultsSerializer(serializers.Serializer[Results]):
    """Actions that were found."""

    results = AccessActionSerializer(many=True)
    page = PageSerializer()


class MetadataSerializer(serializers.Serializer[object]):
    """What this policy decision point offers (section 9)."""

    policy_decision_point = serializers.URLField()
    access_evaluation_endpoint = serializers.URLField()
    access_evaluations_endpoint = serializers.URLField()
    search_subject_endpoint = serializers.URLField()
    search_resource_endpoint = serializers.URLField()
    search_action_endpoint = serializers.URLField()
