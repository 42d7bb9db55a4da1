"""What a crash may leave: temporary files, and blobs that no row knows. Nobody was told yes about either."""

from __future__ import annotations

from scanward import logs
from scanward.adapters.local.files import SHARDS, FileStore
from scanward.adapters.local.sql_catalog import SqlCatalog
from scanward.ports.object_store import Zone

_MOST_LEFT = 512
"""Blobs that a crash may leave: a batch of each door and worker. More are a lost or older catalog's."""

_log = logs.logger(__name__)


def sweep(store: FileStore, catalog: SqlCatalog, *, is_foreign: bool = False) -> int:
    """Remove leftovers and return how many; only for the one who has the store alone (`hold`).

    Where the catalog was made over a store of objects, or misses more than a crash can leave, it is the
    catalog that was lost or is an older one: then all stay, and the log says so.
    """
    count = store.clear_staging()
    unknown = _unknown(store, catalog)
    if len(unknown) > _MOST_LEFT or (unknown and is_foreign):
        _log.warning(
            "the store holds objects that the catalog does not know; `scanward check` lists them, "
            "`scanward reindex` takes them in",
            operation="sweep",
            status="failed",
            objects=min(len(unknown), _MOST_LEFT),
        )
        return count
    for zone, key in unknown:
        store.delete(zone, key)
    if count := count + len(unknown):
        _log.info("swept", operation="sweep", leftovers=count)
    return count


def _unknown(store: FileStore, catalog: SqlCatalog) -> list[tuple[Zone, str]]:
    """Return blobs without a row; no more than tell that these are no leftovers."""
    found: list[tuple[Zone, str]] = []
    for zone in Zone:
        for shard in SHARDS:
            there = store.shard_keys(zone, shard)
            known = catalog.known_keys(zone, shard) if there else set()
            found += [(zone, key) for key in there if key not in known]
            if len(found) > _MOST_LEFT:
                return found
    return found
