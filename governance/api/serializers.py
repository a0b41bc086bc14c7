"""Serializers that several endpoints share."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from django.core.validators import slug_re
from django.db.models import Model
from rest_framework import serializers

Row = TypeVar("Row", bound=Model)


class StrictSerializer(serializers.Serializer[object]):
    """An input whose unknown members are refused, so that a typing error is never silently ignored."""

    def to_internal_value(self, data: object) -> object:
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


class KnownSlug(serializers.SlugRelatedField[Row]):
    """A reference by slug. Asks the database only for what can be a slug."""

    default_error_messages = {"does_not_exist": "There is no '{value}'."}

    def to_internal_value(self, data: object) -> Row:
        """Return the row. Raises ValidationError."""
        if not isinstance(data, str) or slug_re.fullmatch(data) is None:
            self.fail("invalid")
        return super().to_internal_value(data)


class ReasonSerializer(serializers.Serializer[object]):
    """Why the policy does not permit something."""

    code = serializers.CharField()
    message = serializers.CharField()
