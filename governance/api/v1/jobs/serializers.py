"""How jobs, outputs and evidence look to partners, and the request for a job."""

from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from governance.api.serializers import StrictSerializer, one_of
from governance.api.v1.receipts import EnvelopeSerializer
from governance.audit.models import EvidenceRecord, WormReference
from governance.jobs.choices import JobState
from governance.jobs.models import Job, JobEvent, JobOutput
from governance.kernel.json_reading import read_json
from governance.kernel.vocabulary import PURPOSE_CHOICES
from governance.registry.models import ModelVersion
from governance.registry.tasks import task_choices
from governance.workflows.types import JobRequest

MAX_INPUTS = 16


class JobRequestSerializer(StrictSerializer):
    """What to run on what, and for which purpose."""

    model = serializers.SlugField(max_length=50, help_text="The model's slug.")
    version = serializers.RegexField(
        r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,49}\Z",
        required=False,
        help_text="A version or an alias of the model; `production` when left out.",
    )
    task = one_of(task_choices())
    purpose = one_of(PURPOSE_CHOICES)
    inputs = serializers.ListField(
        child=serializers.UUIDField(), min_length=1, max_length=MAX_INPUTS, help_text="Ids of works, each once."
    )

    def validate_inputs(self, inputs: list[UUID]) -> list[UUID]:
        """Refuse the same work twice."""
        if len(set(inputs)) < len(inputs):
            raise serializers.ValidationError("A work is named twice.", "duplicate")
        return inputs

    def to_request(self) -> JobRequest:
        """Return the validated request."""
        values = self.validated_data
        return JobRequest(
            model=values["model"],
            model_ref=values.get("version"),
            task=values["task"],
            purpose=values["purpose"],
            inputs=tuple(values["inputs"]),
        )


class JobModelSerializer(serializers.Serializer[ModelVersion]):
    """The model version that a job runs."""

    slug = serializers.SlugField(source="model.slug")
    version = serializers.CharField()


class JobOutputSerializer(serializers.ModelSerializer[JobOutput]):
    """What is known of a released output."""

    class Meta:
        model = JobOutput
        fields = ["sha256", "size", "media_type", "width", "height", "obligations_applied"]


class JobSerializer(serializers.ModelSerializer[Job]):
    """A job from admission to its end."""

    model = JobModelSerializer(source="model_version")
    inputs = serializers.SerializerMethodField()
    reason_code = serializers.CharField(help_text="Why it was denied, cancelled or failed; empty otherwise.")
    decision_id = serializers.UUIDField(source="admission_id", help_text="The decision on its admission.")
    output = serializers.SerializerMethodField(help_text="Only of a released job.")

    class Meta:
        model = Job
        fields = [
            "id", "state", "task", "model", "purpose", "inputs", "reason_code", "reason", "decision_id", "output",
            "attempts", "cancel_requested", "deadline", "created_at", "updated_at", "finished_at",
        ]  # fmt: skip

    @extend_schema_field(serializers.ListField(child=serializers.UUIDField()))
    def get_inputs(self, job: Job) -> list[str]:
        """Return the ids of the works."""
        return [str(item.asset_id) for item in job.inputs.all()]

    @extend_schema_field(JobOutputSerializer(allow_null=True))
    def get_output(self, job: Job) -> dict[str, object] | None:
        """Return what is known of the output once it is released."""
        return dict(JobOutputSerializer(job.output).data) if job.state == JobState.RELEASED else None


class JobEventSerializer(serializers.ModelSerializer[JobEvent]):
    """A step in a job's life."""

    to = serializers.ChoiceField(source="to_state", choices=JobState.choices)

    class Meta:
        model = JobEvent
        fields = ["to", "reason_code", "at"]


class JobDetailSerializer(JobSerializer):
    """A job with every step of its life."""

    events = JobEventSerializer(many=True)

    class Meta(JobSerializer.Meta):
        fields = [*JobSerializer.Meta.fields, "events"]


class WormReferenceSerializer(serializers.ModelSerializer[WormReference]):
    """Where the evidence is in WORM storage."""

    class Meta:
        model = WormReference
        fields = ["uri", "version_id", "sha256", "size", "mode", "retain_until", "stored_at"]


class EvidenceSerializer(serializers.ModelSerializer[EvidenceRecord]):
    """The signed statement of how a job ended, and where it is kept."""

    envelope = serializers.SerializerMethodField()
    worm_reference = serializers.SerializerMethodField(help_text="Null until it is written, which takes seconds.")

    class Meta:
        model = EvidenceRecord
        fields = [
            "id",
            "outcome",
            "predicate_type",
            "envelope",
            "envelope_sha256",
            "key_id",
            "created_at",
            "worm_reference",
        ]

    @extend_schema_field(EnvelopeSerializer)
    def get_envelope(self, evidence: EvidenceRecord) -> object:
        """Return the envelope; as canonical JSON (RFC 8785) it has the digest `envelope_sha256`."""
        return read_json(evidence.envelope)

    @extend_schema_field(WormReferenceSerializer(allow_null=True))
    def get_worm_reference(self, evidence: EvidenceRecord) -> dict[str, object] | None:
        """Return the reference, once there is one."""
        reference = getattr(evidence, "worm_reference", None)
        return None if reference is None else dict(WormReferenceSerializer(reference).data)
