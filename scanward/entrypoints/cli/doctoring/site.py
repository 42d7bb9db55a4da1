"""Key, catalog, database and clock."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from scanward.deidentify import secret
from scanward.entrypoints.cli.doctoring.finding import Finding
from scanward.errors import ScanwardError
from scanward.settings import Settings
from scanward.wiring import open_ports

_FIRST_YEAR, _LAST_YEAR = 2024, 2100
_RESTORE = "scanward key import FILE restores it from its export."
_POSTGRES_PORT = 5432
_SECONDS = 3
_NTP = tuple(map(Path, ("/run/systemd/timesync/synchronized", "/run/chrony/chronyd.pid", "/run/ntpd.pid")))


def key(settings: Settings) -> Finding:
    """Say whether the secret is there and sound."""
    try:
        held = secret.load(settings.key_file)
    except FileNotFoundError:
        if _catalog_exists(settings):
            return Finding("Key", "wrong", "missing, though there is a catalog", _RESTORE)
        return Finding("Key", "unknown", "none yet; it is made at first use", "scanward key show makes it.")
    except ScanwardError as error:
        return Finding("Key", "wrong", error.message, _RESTORE)
    if settings.key_file.resolve().is_relative_to(settings.data.resolve()):
        advice = "Move it out of the data folder: who has both can find out who is who."
        return Finding("Key", "wrong", f"{secret.fingerprint(held)}, inside the data folder", advice)
    return Finding("Key", "good", secret.fingerprint(held))


def catalog(settings: Settings) -> Finding:
    """Open the catalog, which holds the key's fingerprint against its own."""
    if not _catalog_exists(settings):
        return Finding("Catalog", "unknown", "none yet; it is made at first use")
    try:
        counts = open_ports(settings, sweep=False).executions.statistics()
    except ScanwardError as error:
        return Finding("Catalog", "wrong", error.message)
    dead = int(counts.get("dead_letters", 0))
    waiting = int(counts.get("queue_depth", 0))
    if dead:
        advice = "scanward executions list --dead-letter, then redrive."
        return Finding("Catalog", "warning", f"opens, its key is this one; {dead} given up", advice)
    return Finding("Catalog", "good", f"opens, its key is this one; {waiting} waiting")


def database(settings: Settings) -> Finding | None:
    """Say whether PostgreSQL answers at its address; None without one."""
    if not settings.database_url:
        return None
    address = urlsplit(settings.database_url)
    try:
        port = address.port or _POSTGRES_PORT
        with socket.create_connection((address.hostname or "localhost", port), timeout=_SECONDS):
            return Finding("PostgreSQL", "good", f"answers on port {port}")
    except (OSError, ValueError):
        return Finding(
            "PostgreSQL", "wrong", "does not answer", "Look at SCANWARD_DATABASE_URL and the server."
        )


def clock() -> Finding:
    """Say whether the clock shows a time that can be, and whether something keeps it right."""
    now = datetime.now(UTC)
    seen = now.isoformat(" ", timespec="seconds")
    if not _FIRST_YEAR <= now.year <= _LAST_YEAR:
        return Finding("Clock", "wrong", seen, "Set the clock; links and leases depend on it.")
    if any(path.exists() for path in _NTP):
        return Finding("Clock", "good", f"{seen}, kept by a time service")
    return Finding(
        "Clock", "unknown", f"{seen}; no time service was found", "Run chrony or systemd-timesyncd."
    )


def _catalog_exists(settings: Settings) -> bool:
    return bool(settings.database_url) or (settings.data / "catalog.sqlite").exists()
