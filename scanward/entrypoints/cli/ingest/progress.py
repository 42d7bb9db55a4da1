"""Two bars on a terminal: files accepted, files through the line; silence elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)


class Watch:
    """What the ingestion tells its progress."""

    def __init__(self, progress: Progress) -> None:
        """Show both bars at nothing."""
        self._progress = progress
        self._in = progress.add_task("Received", total=None)
        self._through = progress.add_task("Through the line", total=None)
        self._count = 0

    def accepted(self, files: int) -> None:
        """Count files that are durably received, or refused."""
        self._count += files
        self._progress.update(self._in, advance=files)
        self._progress.update(self._through, total=self._count)

    def ended(self, files: int) -> None:
        """Say how many have ended."""
        self._progress.update(self._in, total=self._count)
        self._progress.update(self._through, completed=files, total=max(files, self._count))


@contextmanager
def watch(console: Console) -> Iterator[Watch]:
    """Show progress while the block runs; on anything but a terminal nothing is drawn."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<17}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Watch(progress)
