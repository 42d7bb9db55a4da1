"""A bar of bytes, for what takes long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bars

from scanward.adapters.local.backup_writing import Progress
from scanward.entrypoints.cli.console import err


class Bar(Progress):
    """Moves a bar."""

    def __init__(self, bars: Bars, doing: str) -> None:
        """Begin without knowing how much there is."""
        self._bars = bars
        self._task = bars.add_task(doing, total=None)

    def total(self, size: int) -> None:
        """Take how much there is."""
        self._bars.update(self._task, total=size)

    def moved(self, size: int) -> None:
        """Move on."""
        self._bars.advance(self._task, size)


@contextmanager
def bar(doing: str) -> Iterator[Bar]:
    """Show a bar on a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    more = (TransferSpeedColumn(), TimeRemainingColumn())
    with Bars(*columns, *more, console=err(), transient=True, disable=not err().is_terminal) as bars:
        yield Bar(bars, doing)
