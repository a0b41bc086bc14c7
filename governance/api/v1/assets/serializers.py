"""How works look to partners, and the form for uploading one."""

from typing import Any

from rest_framework import serializers

from governance.api.serializers import KnownSlug, StrictSerializer
from governance.catalog.choices import FileMetadata, LeftOut
from governance.catalog.models import Asset, Creator, Dataset
from governance.catalog.queries import UPLOADED_BY_PARTNER
from governance.partners.types import TokenGrant


class LeftOutSerializer(serializers.Serializer[dict[str, object]]):
    """What a file holds behind its picture, which is looked at by nobody and handed out to nobody."""

    kind = serializers.ChoiceField(choices=LeftOut.choices)
    bytes = serializers.IntegerField(min_value=1)


class AssetSerializer(serializers.ModelSerializer[Asset]):
    """A work in the catalogue."""

    creator: serializers.SlugRelatedField[Creator] = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    dataset: serializers.SlugRelatedField[Dataset] = serializers.SlugRelatedField(
        slug_field="slug", read_only=True, allow_null=True
    )
    left_out = LeftOutSerializer(many=True, read_only=True, help_text="What the file holds behind its picture.")
    metadata = serializers.ListField(
        source="metadata_kinds",
        child=serializers.ChoiceField(choices=FileMetadata.choices),
        read_only=True,
        allow_null=True,
        help_text="Kinds of metadata in the file, which stay in storage and are in no output. Null: not known.",
    )
    own = serializers.SerializerMethodField(help_text="Whether you uploaded it.")

    class Meta:
        model = Asset
        fields = [
            "id", "title", "creator", "dataset", "tags", "status", "own",
            "media_type", "size", "sha256", "width", "height", "left_out", "metadata", "created_at",
        ]  # fmt: skip

    def get_own(self, asset: Asset) -> bool:
        """Return whether a partner uploaded it; partners see no other partner's uploads."""
        return asset.uploaded_by_type == UPLOADED_BY_PARTNER


class UploadSerializer(StrictSerializer):
    """The form for uploading a work."""

    file = serializers.FileField(
        help_text="A PNG, JPEG or WebP image. Of a file with more, the first picture is taken; see `left_out`."
    )
    title = serializers.CharField(max_length=200)
    creator = KnownSlug(slug_field="slug", queryset=Creator.objects.all())
    dataset = KnownSlug(slug_field="slug", queryset=Dataset.objects.all(), required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the fields; the grant in the context leaves only the datasets that it covers."""
        fields = super().get_fields()
        grant: TokenGrant | None = self.context.get("grant")
        if grant is not None and grant.datasets is not None:
            covered = Dataset.objects.filter(slug__in=grant.datasets)
            fields["dataset"] = KnownSlug(slug_field="slug", queryset=covered, required=False)
        return fields
