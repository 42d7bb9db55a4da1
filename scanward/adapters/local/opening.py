"""Open all local ports of one site, in the order that makes a start safe."""

from __future__ import annotations

import socket

from scanward.adapters.local.clock import SystemClock
from scanward.adapters.local.files import FileStore
from scanward.adapters.local.hold import Hold
from scanward.adapters.local.links import SignedLinks
from scanward.adapters.local.secrets import FileSecrets
from scanward.adapters.local.sql_catalog import SqlCatalog
from scanward.adapters.local.sql_crosswalk import SqlCrosswalk
from scanward.adapters.local.sql_engine import open_database
from scanward.adapters.local.sql_executions import SqlExecutions
from scanward.adapters.local.sql_migrate import migrate
from scanward.adapters.local.sql_site import check_key
from scanward.adapters.local.sweep import sweep as sweep_leftovers
from scanward.ports import Ports
from scanward.settings import Settings


def open_local(settings: Settings, *, sweep: bool = True) -> Ports:
    """Upgrade the catalog, check the key against it, sweep what a crash left, and return the ports.

    Raises Misconfigured for another or a missing key, Unavailable or OutOfSpace.
    """
    database = open_database(settings.data, settings.database_url)
    migrate(database)
    secrets = FileSecrets(settings.key_file)
    check_key(database, secrets)
    store = FileStore(settings.data / "store", settings.free_space_bytes)
    catalog = SqlCatalog(database)
    executions = SqlExecutions(database, settings.max_attempts)
    hold = Hold(store.root)
    if sweep and hold.alone():
        sweep_leftovers(store, catalog)
        executions.lapse_all(socket.gethostname())
    hold.share()
    store.hold = hold
    clock = SystemClock()
    return Ports(
        objects=store,
        catalog=catalog,
        executions=executions,
        queue=executions,
        crosswalk=SqlCrosswalk(database, secrets),
        links=SignedLinks(secrets.derive("links"), clock),
        secrets=secrets,
        clock=clock,
    )
