"""How models look to partners."""

from rest_framework import serializers

from governance.registry.models import Licence, Model, ModelAlias


class LicenceSerializer(serializers.ModelSerializer[Licence]):
    """The licence of a model, without the partners that may use it."""

    class Meta:
        model = Licence
        fields = ["slug", "name", "purposes", "regions", "valid_from", "valid_until", "terms_url"]


class AliasSerializer(serializers.ModelSerializer[ModelAlias]):
    """A name that a version of a model goes by."""

    version = serializers.CharField(source="version.version")
    stage = serializers.CharField(source="version.stage")
    artifact_sha256 = serializers.CharField(source="version.artifact_sha256")

    class Meta:
        model = ModelAlias
        fields = ["name", "version", "stage", "artifact_sha256"]


class ModelSerializer(serializers.ModelSerializer[Model]):
    """A model with its licence and the versions that go by a name."""

    licence = LicenceSerializer()
    aliases = AliasSerializer(many=True)

    class Meta:
        model = Model
        fields = ["slug", "name", "description", "task", "owner", "licence", "aliases"]
