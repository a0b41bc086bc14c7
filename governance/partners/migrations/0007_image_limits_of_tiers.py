"""Tiers may narrow how large an image their partners upload. Empty limits are not part of a tier's recorded state."""

from django.core.validators import MinValueValidator
from django.db import migrations, models


def _limit(name: str, least: int) -> migrations.AddField:
    field = models.PositiveIntegerField(blank=True, null=True, validators=[MinValueValidator(least)])
    return migrations.AddField(model_name="tier", name=name, field=field)


class Migration(migrations.Migration):
    dependencies = [
        ("partners", "0006_upload_is_an_action"),
    ]

    operations = [
        _limit("max_image_pixels", 64),
        _limit("max_image_edge", 8),
        _limit("max_image_ratio", 1),
        _limit("max_image_parts", 3),
    ]
