"""The one table of `scanward ingest` and of `make demo`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scanward.entrypoints.cli.console import OUTCOME_STYLES, byte_size, harmless, outcome_text
from scanward.entrypoints.cli.ingest.outcomes import Line


def show(lines: Sequence[Line], seconds: float, console: Console) -> None:
    """Print a row a file, then the counts."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("File", overflow="fold", max_width=48)
    table.add_column("Modality")
    table.add_column("Outcome", no_wrap=True)
    table.add_column("Time", justify="right", no_wrap=True)
    table.add_column("Why", overflow="fold", ratio=1)
    for line in lines:
        table.add_row(
            harmless(line.name),
            line.modality or Text("-", style="dim"),
            outcome_text(line.outcome),
            _time(line.seconds),
            harmless(line.reason, style="dim"),
        )
    console.print(table)
    console.print(_summary(lines, seconds))


def _time(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _summary(lines: Sequence[Line], seconds: float) -> Text:
    text = Text(f"{len(lines)} files", style="bold")
    for outcome, count in Counter(line.outcome for line in lines).most_common():
        text.append(" · ").append(f"{count} {outcome}", style=OUTCOME_STYLES.get(outcome, "red"))
    size = byte_size(sum(line.size for line in lines))
    rate = len(lines) / max(seconds, 0.001)
    return text.append(f" · {size} in {seconds:.1f} s ({rate:.0f} files/s)", style="not bold")
