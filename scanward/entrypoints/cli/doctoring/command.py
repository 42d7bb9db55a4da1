"""`scanward doctor` on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from scanward.entrypoints.cli.console import out, print_json
from scanward.entrypoints.cli.doctoring import disks, site
from scanward.entrypoints.cli.doctoring.finding import Finding
from scanward.entrypoints.cli.door import PARTLY
from scanward.settings import Settings

_STYLES = {"good": "green", "warning": "yellow", "wrong": "bold red", "unknown": "cyan"}


def doctor_command(settings: Settings, *, json: bool) -> int:
    """Look at everything; return 0 if nothing is wrong."""
    findings = list(_findings(settings))
    if json:
        print_json([finding.as_json() for finding in findings])
    else:
        out().print(_table(findings))
    return PARTLY if any(finding.grade == "wrong" for finding in findings) else 0


def _findings(settings: Settings) -> Iterator[Finding]:
    yield disks.permissions("Data folder", settings.data, 0o700)
    yield disks.permissions("Key file", settings.key_file, 0o600)
    yield disks.encryption(settings.data)
    yield disks.free_space(settings.data, settings.free_space_bytes)
    yield site.clock()
    yield site.key(settings)
    database = site.database(settings)
    if database is not None:
        yield database
    if database is None or database.grade == "good":
        yield site.catalog(settings)


def _table(findings: list[Finding]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("Looked at", "Is", "Seen", "What to do"):
        table.add_column(column, overflow="fold")
    for one in findings:
        grade = Text(one.grade, style=_STYLES[one.grade])
        table.add_row(one.subject, grade, one.seen, "" if one.grade == "good" else one.advice)
    return table
