"""`scanward restore`: a backup put back where nothing is, checked byte by byte before it gets its place.

Everything is written into `restoring` in the data folder, which is not a site; only when all is there, and
is what the catalog says, it moves up. What fails leaves nothing.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final, cast

from scanward.adapters.local.backup_catalog import CatalogRows
from scanward.adapters.local.backup_key import read_key
from scanward.adapters.local.backup_reading import BackupReader, open_backup
from scanward.adapters.local.backup_restoring import Restorer
from scanward.adapters.local.disk import disk_errors, sync_folder
from scanward.adapters.local.sql_engine import open_database
from scanward.entrypoints.cli.keeping.backing_up import exit_code, tell
from scanward.entrypoints.cli.keeping.checking import compare
from scanward.entrypoints.cli.keeping.showing_progress import Bar, bar
from scanward.errors import Misconfigured, Unavailable
from scanward.ports import Ports
from scanward.ports.object_store import Sweepable, Zone
from scanward.settings import Settings
from scanward.wiring import open_ports, open_secrets

_WORKING: Final = "restoring"
_ALWAYS_THERE: Final = {"lost+found"}
_LAST: Final = "catalog.sqlite"


def restore_command(settings: Settings, source: Path, key_file: Path, *, json: bool) -> int:
    """Restore a backup; return the exit code."""
    key = read_key(key_file)
    with open_backup(source) as file, bar("Restoring") as progress:
        folder = _make_folder(settings.data)
        working = settings.model_copy(update={"data": folder})
        catalog = CatalogRows(open_database(folder, settings.database_url))
        restorer = Restorer(
            catalog, open_secrets(settings), lambda: open_ports(working, sweep=False), progress
        )
        try:
            progress.total(source.stat().st_size)
            reader = BackupReader(file, key, restorer)
            reader.read()
            restorer.finish(reader.faults)
            _check(restorer.ports, {key for _, _, key in reader.faults}, progress)
            catalog.close()
            _move_up(folder, settings.data)
        except BaseException as error:
            try:
                restorer.undo(error, elsewhere=bool(settings.database_url or settings.object_store))
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            raise
    about = {"file": str(source), **reader.head}
    tell("Restored", about, reader.tally.counts, reader.faults, json=json)
    return exit_code(reader.faults)


def _make_folder(data: Path) -> Path:
    """Return the working folder. Raises Misconfigured where something is in the data folder."""
    with disk_errors("the data folder was made"):
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        there = {path.name for path in data.iterdir()} - _ALWAYS_THERE
    if there == {_WORKING}:
        raise Misconfigured(
            f"A restore was broken off in the data folder: remove its folder `{_WORKING}`, and what it wrote"
            " to a database or bucket elsewhere."
        )
    if there:
        raise Misconfigured("The data folder is not empty; a restore never overwrites. Name another one.")
    folder = data / _WORKING
    with disk_errors("the data folder was made"):
        folder.mkdir(mode=0o700)
    return folder


def _check(ports: Ports, known: set[str], progress: Bar) -> None:
    """Read all that was written again. Raises Unavailable where it is not what the catalog says.

    What was missing or damaged at the site already is so here too, and is told.
    """
    for zone in Zone:
        for found in compare(zone, ports, cast("Sweepable", ports.objects), quick=False):
            progress.moved(0)
            if found is not None and found.key not in known:
                raise Unavailable(f"An object was not written as it is in the backup ({found.what}).")


def _move_up(folder: Path, data: Path) -> None:
    """Put everything in its place, the catalog last."""
    with disk_errors("what was restored was put in its place"):
        for path in sorted(folder.iterdir(), key=lambda path: path.name.startswith(_LAST)):
            path.rename(data / path.name)
        folder.rmdir()
        sync_folder(data)
