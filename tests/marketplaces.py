"""A marketplace for each test that wants one, made once in a process and put back from a copy from then on."""

import copy
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from django.core.cache import cache
from django.db import IntegrityError, transaction

from governance.kernel import clock
from tests.database import MigratedDatabase, insert
from tests.factories.marketplace import Marketplace, make_marketplace


@dataclass(frozen=True)
class _Kept:
    """What making a marketplace left in the database and, where it was looked for, in a directory."""

    market: Marketplace
    rows: dict[str, bytes]
    files: Path | None


class Marketplaces:
    """Gives tests that begin with an empty database the same marketplace, as if each had made it."""

    def __init__(self, migrated: MigratedDatabase, new_directory: Callable[[], Path]) -> None:
        """Take the database before any test, and what makes a directory for the files to keep."""
        self._migrated = migrated
        self._new_directory = new_directory
        self._kept: dict[str, _Kept] = {}

    def open(self, name: str, *, data: Path | None = None) -> Marketplace:
        """Return a marketplace; `data` is the directory that its files belong into.

        Tests that keep their files in the same way share a `name`. The token is as fresh as if it was issued now. A
        test that has made a part of the marketplace before gets one made around it.
        """
        if name not in self._kept:
            return self._make(name, data)
        try:
            self._put_back(self._kept[name], data)
        except IntegrityError:
            return make_marketplace()
        market = copy.deepcopy(self._kept[name].market)
        return replace(market, grant=replace(market.grant, expires_at=clock.now() + timedelta(minutes=15)))

    def _make(self, name: str, data: Path | None) -> Marketplace:
        untouched = not self._migrated.added()
        market = make_marketplace()
        if untouched:
            self._kept[name] = _Kept(copy.deepcopy(market), self._migrated.added(), self._copied(data))
        return market

    def _copied(self, data: Path | None) -> Path | None:
        return None if data is None else Path(shutil.copytree(data, self._new_directory() / "files"))

    def _put_back(self, kept: _Kept, data: Path | None) -> None:
        with transaction.atomic():
            for table, rows in kept.rows.items():
                insert(table, rows)
        if data is not None and kept.files is not None:
            shutil.copytree(kept.files, data, dirs_exist_ok=True)
        cache.clear()  # requests are counted by client, and here clients keep their ids
