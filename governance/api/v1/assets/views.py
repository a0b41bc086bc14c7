"""Works in the catalogue and their upload."""

from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.generics import ListAPIView, RetrieveAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from governance.api.authentication import grant_of
from governance.api.needs import READ_WORKS, UPLOAD_WORKS
from governance.api.parsers import BoundedMultiPartParser
from governance.api.permissions import require_dataset_cover
from governance.api.schema import problems
from governance.api.v1.assets.filters import AssetFilterSet
from governance.api.v1.assets.serializers import AssetSerializer, UploadSerializer
from governance.api.v1.receipts import receipt_response, receipt_schema
from governance.api.v1.visibility import assets_for, uploads_of
from governance.audit.evidence.receipts import needed_receipt, receipt_file
from governance.catalog.entries import AssetRegistered, asset_ref
from governance.catalog.models import Asset
from governance.catalog.types import IncomingFile
from governance.workflows.upload_asset import upload_asset

MULTIPART = "multipart/form-data"


@extend_schema_view(
    get=extend_schema(
        operation_id="list_assets",
        tags=["assets"],
        summary="List works",
        extensions=problems("model_needed", "no_active_revision", "policy_frozen", "permitted_set_unavailable"),
    )
)
class AssetListView(ListAPIView[Asset]):
    """The works that the partner may know of."""

    needs = {"GET": READ_WORKS, "POST": UPLOAD_WORKS}

    queryset = Asset.objects.none()
    serializer_class = AssetSerializer
    filterset_class = AssetFilterSet
    parser_classes = [BoundedMultiPartParser]

    def get_queryset(self) -> QuerySet[Asset]:
        """Return what the partner may know of and the token covers."""
        return assets_for(grant_of(self.request))

    @extend_schema(
        operation_id="upload_asset",
        tags=["assets"],
        summary="Upload a work",
        description=(
            "Any upload may first wait for review by a person of the marketplace: its status is then `in_review`, and "
            "decisions about it are denied with `asset_in_review`."
        ),
        request={MULTIPART: UploadSerializer},
        responses={201: AssetSerializer},
        filters=False,
        extensions=problems(
            "upload_not_authorised",
            "asset_invalid",
            "upload_too_large",
            "media_type_unsupported",
            "media_undecodable",
            "image_too_large",
            "image_too_small",
            "image_too_narrow",
            "image_too_complex",
            "image_colours_unusable",
            "object_store_unavailable",
        ),
    )
    def post(self, request: Request) -> Response:
        """Store the file, once it is seen to be an image of a type and size that is taken in, and register the work."""
        grant = grant_of(request)
        form = UploadSerializer(data=request.data, context={"grant": grant})
        form.is_valid(raise_exception=True)
        values = form.validated_data
        dataset = values.get("dataset")
        require_dataset_cover(grant, dataset.slug if dataset else None)
        asset = upload_asset(
            grant=grant,
            creator=values["creator"],
            title=values["title"],
            file=IncomingFile(values["file"], values["file"].name),
            dataset=dataset,
        )
        return Response(
            AssetSerializer(asset).data, status=201, headers={"Location": reverse("v1:asset", args=[asset.id])}
        )


@extend_schema_view(get=extend_schema(operation_id="get_asset", tags=["assets"], summary="Look at a work"))
class AssetView(RetrieveAPIView[Asset]):
    """One work."""

    needs = {"GET": READ_WORKS}

    queryset = Asset.objects.none()
    serializer_class = AssetSerializer
    lookup_field = "id"
    filter_backends = []

    def get_queryset(self) -> QuerySet[Asset]:
        """Return what the partner may know of and the token covers."""
        return assets_for(grant_of(self.request))


class AssetReceiptView(APIView):
    """The receipt of an upload."""

    needs = {"GET": READ_WORKS}

    @receipt_schema(operation_id="get_asset_receipt", tag="assets", codes=())
    def get(self, request: Request, id: UUID) -> Response:
        """Return the receipt of a work that the partner itself uploaded, as a file that proves by itself."""
        asset = get_object_or_404(uploads_of(grant_of(request)), id=id)
        receipt = needed_receipt(asset_ref(asset), AssetRegistered)
        return receipt_response(receipt_file(receipt), f"asset-{asset.id}")
