"""How partners see the decisions about their jobs: without the facts, some of which concern others."""

from rest_framework import serializers

from governance.api.serializers import ReasonSerializer
from governance.decisions.choices import DecisionEffect
from governance.decisions.explanations import explain_decision_to_partner
from governance.decisions.models import DecisionRecord
from governance.kernel.vocabulary import ACTION_CHOICES


class ResourceSerializer(serializers.Serializer[object]):
    """The resource of an action."""

    type = serializers.CharField()
    id = serializers.CharField()


class MatchedRulesSerializer(serializers.Serializer[object]):
    """The ids of the rules that matched, by effect."""

    permit = serializers.ListField(child=serializers.CharField())
    deny = serializers.ListField(child=serializers.CharField())


class EvaluationSerializer(serializers.Serializer[object]):
    """The answer for one action on one resource."""

    action = serializers.ChoiceField(choices=ACTION_CHOICES)
    resource = ResourceSerializer()
    effect = serializers.ChoiceField(choices=DecisionEffect.choices)
    matched_rules = MatchedRulesSerializer()
    reasons = ReasonSerializer(many=True)


class ObligationSerializer(serializers.Serializer[object]):
    """An obligation of a permit."""

    kind = serializers.CharField()
    parameters = serializers.DictField(default=dict)


class DecisionSerializer(serializers.ModelSerializer[DecisionRecord]):
    """A decision, its reasons and the rules that led to it."""

    reasons = ReasonSerializer(many=True)
    evaluations = EvaluationSerializer(many=True)
    obligations = ObligationSerializer(many=True)

    class Meta:
        model = DecisionRecord
        fields = [
            "id", "kind", "job_id", "client_id", "purpose", "effect", "reasons", "evaluations", "obligations",
            "revision_digest", "engine", "request_id", "decided_at",
        ]  # fmt: skip


class ExplainedDecisionSerializer(DecisionSerializer):
    """A decision with its explanation."""

    explanation = serializers.SerializerMethodField(
        help_text="Why, as sentences: what denied, what permits, or what a permit lacked that concerns you."
    )

    class Meta(DecisionSerializer.Meta):
        fields = [*DecisionSerializer.Meta.fields, "explanation"]

    def get_explanation(self, decision: DecisionRecord) -> list[str]:
        """Return the sentences."""
        return explain_decision_to_partner(decision)
