"""`scanward backup`: rows and objects of a site in one sealed file, and `--verify` of such a file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from scanward.adapters.local.backup_catalog import CatalogRows
from scanward.adapters.local.backup_file import whole_or_not_at_all
from scanward.adapters.local.backup_key import BackupKey, make_key, read_key
from scanward.adapters.local.backup_reading import BackupReader, Faults, Sink, open_backup
from scanward.adapters.local.backup_writing import BackupWriter
from scanward.adapters.local.sql_engine import open_database
from scanward.entrypoints.cli.console import byte_size, out, print_json
from scanward.entrypoints.cli.door import PARTLY
from scanward.entrypoints.cli.keeping.showing_progress import bar
from scanward.errors import BadInput
from scanward.settings import Settings
from scanward.wiring import open_ports


def backup_command(settings: Settings, place: Path, key_file: Path, *, new_key: bool, json: bool) -> int:
    """Write a backup to a new file, or under a name made of the time into a folder; return the exit code."""
    if not settings.database_url and not (settings.data / "catalog.sqlite").exists():
        raise BadInput("There is no catalog in the data folder, so nothing to back up.")
    made = datetime.now(UTC)
    path = place / f"scanward-{made:%Y%m%dT%H%M%SZ}.backup" if place.is_dir() else place
    faults: Faults = []
    ports = open_ports(settings, sweep=False)
    catalog = CatalogRows(open_database(settings.data, settings.database_url))
    with whole_or_not_at_all(path) as file, bar("Backing up") as progress:
        key = make_key(key_file) if new_key else read_key(key_file)
        found = lambda *one: faults.append(one)  # noqa: E731 - a sentence of its own would hide what it does
        writer = BackupWriter(ports, catalog, progress, found)
        writer.write(file, path.parent, key, {"made": made.isoformat(timespec="seconds")})
    size = path.stat().st_size
    about = {"file": str(path), "size": size, "fingerprint": ports.secrets.fingerprint()}
    tell("Written", about, writer.tally.counts, faults, json=json)
    return exit_code(faults)


def verify_command(path: Path, key_file: Path, *, json: bool) -> int:
    """Read a backup from its first byte to its last; return the exit code."""
    faults, about, counts = _read(path, read_key(key_file))
    tell("Whole", {"file": str(path), **about}, counts, faults, json=json)
    return exit_code(faults)


def _read(path: Path, key: BackupKey) -> tuple[Faults, dict[str, object], Mapping[str, int]]:
    with open_backup(path) as file, bar("Reading") as progress:
        progress.total(path.stat().st_size)
        reader = BackupReader(file, key, Sink())
        reader.read()
    return reader.faults, reader.head, reader.tally.counts


def exit_code(faults: Faults) -> int:
    """Return 1 where something that should be there is not, or is damaged. What was deleted is not."""
    return PARTLY if any(why != "deleted" for why, _, _ in faults) else 0


def tell(
    word: str, about: Mapping[str, object], counts: Mapping[str, int], faults: Faults, *, json: bool
) -> None:
    """Say what a backup holds, and what is wrong with it."""
    wrong = [(why, zone, key) for why, zone, key in faults if why != "deleted"]
    if json:
        named = [{"what": why, "zone": zone.value, "key": key} for why, zone, key in wrong]
        print_json({**about, **counts, "findings": named})
        return
    if wrong:
        table = Table("Zone", "Object", "Was", box=None, pad_edge=False)
        for why, zone, key in wrong:
            table.add_row(zone.value, key, why)
        out().print(table)
    out().print(
        f"{word}: {counts['rows']} rows and {counts['objects']} objects of {byte_size(counts['bytes'])}, "
        f"of the site with the key {about['fingerprint']}.",
        soft_wrap=True,
    )
    if deleted := len(faults) - len(wrong):
        out().print(f"{deleted} objects were deleted meanwhile; a restore deletes what was made of them too.")
