"""Open all local ports of one site, in the order that makes a start safe."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass

from scanward.adapters.local.clock import SystemClock
from scanward.adapters.local.files import FileStore
from scanward.adapters.local.hold import Hold
from scanward.adapters.local.links import SignedLinks
from scanward.adapters.local.sql_catalog import SqlCatalog
from scanward.adapters.local.sql_changes import SqlChanges
from scanward.adapters.local.sql_crosswalk import SqlCrosswalk
from scanward.adapters.local.sql_deleting import SqlDeletion
from scanward.adapters.local.sql_engine import open_database
from scanward.adapters.local.sql_executions import SqlExecutions
from scanward.adapters.local.sql_inventory import SqlInventory
from scanward.adapters.local.sql_migrate import migrate, revision
from scanward.adapters.local.sql_search import SqlSearch
from scanward.adapters.local.sql_site import check_key, is_foreign, note_foreign
from scanward.adapters.local.sql_tables import RAW
from scanward.adapters.local.staging import Staging
from scanward.adapters.local.sweep import sweep as sweep_leftovers
from scanward.ports import Ports
from scanward.ports.object_store import ObjectStore, Zone
from scanward.ports.secrets import Secrets
from scanward.settings import Settings


@dataclass(frozen=True, slots=True)
class Remote:
    """A store that is elsewhere, and the folder of this machine where what is under way to it lies."""

    objects: ObjectStore
    staging: Staging


def open_local(
    settings: Settings, secrets: Secrets, *, sweep: bool = True, remote: Remote | None = None
) -> Ports:
    """Upgrade the catalog, check the key against it, sweep what a crash left, and return the ports.

    The objects are in the data folder unless they are `remote`. Raises Misconfigured for another or a missing
    key, Unavailable or OutOfSpace.
    """
    database = open_database(settings.data, settings.database_url)
    is_new = not revision(database, RAW)
    migrate(database)
    check_key(database, secrets)
    catalog = SqlCatalog(database, settings.duplicates)
    executions = SqlExecutions(database, settings.max_attempts)
    objects, hold, clear = _store(settings, catalog, remote)
    if is_new and isinstance(objects, FileStore) and any(any(objects.keys(zone)) for zone in Zone):
        note_foreign(database)
    if sweep and hold.alone():
        clear(is_foreign(database))
        executions.lapse_all(socket.gethostname())
    hold.share()
    crosswalk = SqlCrosswalk(database, secrets)
    deletion = SqlDeletion(database, crosswalk, objects)
    if sweep:
        deletion.finish()
    clock = SystemClock()
    return Ports(
        objects=objects,
        catalog=catalog,
        search=SqlSearch(database),
        inventory=SqlInventory(database),
        executions=executions,
        queue=executions,
        crosswalk=crosswalk,
        changes=SqlChanges(database),
        deletion=deletion,
        links=SignedLinks(secrets.derive("links"), clock),
        secrets=secrets,
        clock=clock,
    )


def _store(
    settings: Settings, catalog: SqlCatalog, remote: Remote | None
) -> tuple[ObjectStore, Hold, Callable[[bool], int]]:
    """Return the store, the hold on this machine's part of it, and what sweeps that part."""
    root = settings.data / "store"
    if remote is not None:
        hold = remote.staging.hold = Hold(root)
        return remote.objects, hold, lambda _is_foreign: remote.staging.clear()
    files = FileStore(root, settings.free_space_bytes)
    hold = files.hold = Hold(root)
    return files, hold, lambda is_foreign: sweep_leftovers(files, catalog, is_foreign=is_foreign)


def open_staging(settings: Settings) -> Staging:
    """Return this machine's folder for what is under way to a remote store. Raises Unavailable."""
    staging = Staging(settings.data / "store" / "staging", settings.free_space_bytes)
    staging.make()
    return staging
