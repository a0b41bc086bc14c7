"""Models with columns that are written once, in addition to the guard in the database."""

from typing import Any, ClassVar

from django.db import models


class FrozenColumns(models.Model):
    """A model whose `frozen` fields PostgreSQL protects from changes (see `triggers.frozen_columns`).

    The application's database role may not name such a column in an UPDATE, so `save` leaves them out.
    """

    frozen: ClassVar[frozenset[str]] = frozenset()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save all columns of a new row, and of an existing one those that may change."""
        if not self._state.adding and not kwargs.get("force_insert") and kwargs.get("update_fields") is None:
            left_out = self.frozen | self.get_deferred_fields() | {self._meta.pk.name}
            kwargs["update_fields"] = [f.name for f in self._meta.concrete_fields if f.name not in left_out]
        super().save(*args, **kwargs)
