"""What a crash may leave: temporary files, and blobs that no row knows. Nobody was told yes about either."""

from __future__ import annotations

from scanward import logs
from scanward.adapters.local.files import SHARDS, FileStore
from scanward.adapters.local.sql_catalog import SqlCatalog
from scanward.ports.object_store import Zone

_log = logs.logger(__name__)


def sweep(store: FileStore, catalog: SqlCatalog) -> int:
    """Remove leftovers and return how many; only for the one who has the store alone (`hold`)."""
    count = store.clear_staging()
    for zone in Zone:
        for shard in SHARDS:
            there = store.shard_keys(zone, shard)
            known = catalog.known_keys(zone, shard) if there else set()
            for key in there:
                if key not in known:
                    store.delete(zone, key)
                    count += 1
    if count:
        _log.info("swept", operation="sweep", leftovers=count)
    return count
