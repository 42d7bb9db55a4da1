"""Puts a backup back into a site that is empty: rows, then objects, then what was deleted meanwhile goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, Final, cast

from scanward.adapters.local.backup_catalog import CatalogRows, Loading
from scanward.adapters.local.backup_format import Row
from scanward.adapters.local.backup_reading import Faults, Sink
from scanward.adapters.local.backup_writing import Progress
from scanward.errors import Misconfigured, NotFound
from scanward.ports import Ports
from scanward.ports.object_store import Blob, Sweepable, Zone
from scanward.ports.secrets import Secrets

_OBJECTS_AT_ONCE: Final = 64
_BYTES_AT_ONCE: Final = 64 << 20


class Restorer(Sink):
    """Writes what a backup holds."""

    def __init__(
        self, catalog: CatalogRows, secrets: Secrets, open_site: Callable[[], Ports], progress: Progress
    ) -> None:
        """Write to an empty catalog; the rest of the site is opened when its rows are there."""
        self._catalog = catalog
        self._secrets = secrets
        self._open_site = open_site
        self._progress = progress
        self._loading_ends = ExitStack()
        self._loading: Loading | None = None
        self._table, self._columns = ("", ""), [""]
        self._batch: list[Blob] = []
        self._ports: Ports | None = None
        self._began = False

    @property
    def ports(self) -> Ports:
        """Return the site, once its rows are there."""
        if self._ports is None:
            self._ports = self._open_site()
        return self._ports

    def head(self, head: dict[str, Any]) -> None:
        """Refuse where the key is another or the catalog is not empty; make its tables."""
        require_key(self._secrets, str(head["fingerprint"]))
        self._catalog.require_empty()
        self._began = True
        self._catalog.make_tables(head["revisions"])
        self._loading = self._loading_ends.enter_context(self._catalog.loading())

    def table(self, schema: str, name: str, columns: list[str]) -> None:
        """Remember where the next rows belong."""
        self._table, self._columns = (schema, name), columns

    def rows(self, rows: list[Row]) -> None:
        """Insert rows."""
        if self._loading is not None:
            self._loading.rows(self._table, self._columns, rows)

    def rows_end(self) -> None:
        """Commit all rows, and open the site. Raises Misconfigured where its store holds objects."""
        self._loading_ends.close()
        store = cast("Sweepable", self.ports.objects)
        if any(True for zone in Zone for _ in store.keys(zone)):
            # What is there is another site's: it is not ours to clear away.
            self._began = False
            self._catalog.clear()
            raise Misconfigured("The object store holds objects; a restore never overwrites.")

    def object(self, zone: Zone, key: str, pieces: Iterator[bytes]) -> None:
        """Write an object; it is durable with its batch."""
        staged = self.ports.objects.stage()
        try:
            for piece in pieces:
                staged.write(piece)
        except BaseException:
            staged.discard()
            raise
        self._batch.append(Blob(zone, key, staged))
        self._progress.moved(staged.size)
        if len(self._batch) >= _OBJECTS_AT_ONCE or sum(b.staged.size for b in self._batch) > _BYTES_AT_ONCE:
            self._put()

    def finish(self, faults: Faults) -> None:
        """Make the last objects durable, and delete what was deleted while the backup was made."""
        self._put()
        for why, zone, key in faults:
            if why == "deleted":
                for uids in self._catalog.originals(zone, key):
                    try:
                        self.ports.deletion.delete(*uids)
                    except NotFound:
                        continue  # it went with another of its versions

    def undo(self, error: BaseException, *, elsewhere: bool) -> None:
        """Leave nothing of a restore that failed in a database or bucket `elsewhere`, if one is in use."""
        self._loading_ends.__exit__(type(error), error, error.__traceback__)
        for blob in self._batch:
            blob.staged.discard()
        if not self._began or not elsewhere:
            return
        if self._ports is not None:
            for zone in Zone:
                for key in list(cast("Sweepable", self._ports.objects).keys(zone)):
                    self._ports.objects.delete(zone, key)
        self._catalog.clear()

    def _put(self) -> None:
        if self._batch:
            self.ports.objects.put(self._batch)
            self._batch = []


def require_key(secrets: Secrets, wanted: str) -> None:
    """Raise Misconfigured unless the site's secret is the one that the backup's pseudonyms were made with."""
    how = "put it back with `scanward key import` (SCANWARD_KEY_FILE names its place)"
    if not secrets.exists:
        raise Misconfigured(f"The backup is of a site with the key {wanted}, and no key is here: {how}.")
    if (found := secrets.fingerprint()) != wanted:
        raise Misconfigured(f"The backup is of a site with the key {wanted}, but here is {found}: {how}.")
