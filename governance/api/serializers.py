"""Serializers that every noun shares."""

from collections.abc import Mapping, Sequence
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


def one_of(choices: Sequence[tuple[str, str]]) -> serializers.ChoiceField:
    """Return a field for one of the choices, whose refusal lists them."""
    listed = ", ".join(value for value, _ in choices)
    return serializers.ChoiceField(choices=choices, error_messages={"invalid_choice": f"Must be one of {listed}."})


class KnownSlug(serializers.SlugRelatedField[Any]):
    """A reference by slug. Asks the database only for what can be a slug."""

    default_error_messages = {"does_not_exist": "There is no '{value}'."}

    def to_internal_value(self, data: Any) -> Any:
        """Return the row. Raises ValidationError."""
        if not isinstance(data, str) or slug_re.fullmatch(data) is None:
            self.fail("invalid")
        return super().to_internal_value(data)


class ReasonSerializer(serializers.Serializer[Any]):
    """Why a policy said no."""

    code = serializers.CharField()
    message = serializers.CharField()
