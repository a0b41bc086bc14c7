"""Serializers that every noun shares."""

from collections.abc import Mapping
from typing import Any

from django.core.validators import slug_re
from rest_framework import serializers


class StrictSerializer(serializers.Serializer[Any]):
    """An input that refuses members it does not know, so that a typo is never silently dropped."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the validated values. Raises ValidationError."""
        if isinstance(data, Mapping):
            unknown = sorted(str(name) for name in set(data) - set(self.fields))
            if unknown:
                raise serializers.ValidationError({name: ["There is no such member."] for name in unknown}, "unknown")
        return super().to_internal_value(data)


class KnownSlug(serializers.SlugRelatedField[Any]):
    """A reference by slug. Asks the database only for what can be a slug."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the row. Raises ValidationError."""
        if not isinstance(data, str) or slug_re.fullmatch(data) is None:
            self.fail("invalid")
        return super().to_internal_value(data)


class ReasonSerializer(serializers.Serializer[Any]):
    """Why a policy said no."""

    code = serializers.CharField()
    message = serializers.CharField()
