"""Live progress on standard error: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from scanward.entrypoints.cli.console import byte_size

_EVERY_SECONDS = 10.0
Count = Callable[[threading.Event], int | None]


class Meter(Protocol):
    """What the run tells its progress."""

    def __enter__(self) -> Self:
        """Begin."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        ...

    def advance(self, files: int, size: int) -> None:
        """Count what is done."""
        ...


class Bar:
    """A bar with files, rate and time left; the total comes from a second walk in the background."""

    def __init__(self, console: Console, count: Count) -> None:
        """Prepare the columns."""
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("files"),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task("De-identifying", total=None, rate="")
        self._stop = threading.Event()
        self._counter = threading.Thread(target=self._count, args=(count,), daemon=True)
        self._started = time.monotonic()
        self._bytes = 0

    def __enter__(self) -> Self:
        """Show the bar and begin to count."""
        self._progress.start()
        self._counter.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        self._stop.set()
        self._progress.stop()

    def advance(self, files: int, size: int) -> None:
        """Move the bar."""
        self._bytes += size
        rate = f"{byte_size(self._bytes / max(time.monotonic() - self._started, 0.001))}/s"
        self._progress.update(self._task, advance=files, rate=rate)

    def _count(self, count: Count) -> None:
        total = count(self._stop)
        if total is not None:
            self._progress.update(self._task, total=total)


class Lines:
    """A plain line every ten seconds, for logs of batch systems."""

    def __init__(self, console: Console) -> None:
        """Begin at nothing."""
        self._console = console
        self._started = self._said = time.monotonic()
        self._files = self._bytes = 0

    def __enter__(self) -> Self:
        """Do nothing."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Do nothing."""

    def advance(self, files: int, size: int) -> None:
        """Say how far it is, if it is time."""
        self._files += files
        self._bytes += size
        now = time.monotonic()
        if now - self._said >= _EVERY_SECONDS:
            self._said = now
            rate = byte_size(self._bytes / (now - self._started))
            self._console.print(f"{self._files} files, {byte_size(self._bytes)}, {rate}/s")


def meter(console: Console, count: Count) -> Meter:
    """Return the bar on a terminal, lines elsewhere."""
    return Bar(console, count) if console.is_terminal else Lines(console)
