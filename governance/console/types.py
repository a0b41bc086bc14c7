"""Values whose types only Django's forms, templates and overridden methods know."""

from typing import Any, TypeAlias

#: What a form was read into, by field; the form's fields say of which types.
Cleaned: TypeAlias = dict[str, Any]
#: What a template is given, by name.
Context: TypeAlias = dict[str, Any]
#: An argument of a method of Django that is passed on as it came.
Given: TypeAlias = Any
