"""`scanward backfill`: a bucket that is there already, through the line."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from scanward.adapters.aws.backfill import Backfill, Order
from scanward.adapters.aws.backfill import Progress as Reached
from scanward.entrypoints.cli.console import err, out, outcome_text, print_json

_PAUSE = 2.0
_COLUMNS = (
    SpinnerColumn(),
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
)


def run_backfill(backfill: Backfill, order: Order, *, wait: bool, json: bool, pause: float = _PAUSE) -> int:
    """Start a backfill, watch it and print what became of it; return 0, or 1 if it did not succeed."""
    arn = backfill.start(order)
    if not wait:
        _print(arn, Reached(), json=json)
        return 0
    with Progress(*_COLUMNS, console=err(), transient=True, disable=not err().is_terminal) as bar:
        task = bar.add_task("Sent to the starter", total=None)

        def show(reached: Reached) -> None:
            bar.update(task, total=reached.objects or None, completed=reached.sent + reached.failed)

        reached = _watch(backfill, arn, show, pause)
    _print(arn, reached, json=json)
    return 0 if reached.status == "SUCCEEDED" else 1


def _watch(backfill: Backfill, arn: str, show: Callable[[Reached], None], pause: float) -> Reached:
    while True:
        time.sleep(pause)
        reached = backfill.progress(arn)
        show(reached)
        if reached.ended:
            return reached


def _print(arn: str, reached: Reached, *, json: bool) -> None:
    if json:
        print_json({"execution": arn, **asdict(reached)})
        return
    console = out()
    console.print(outcome_text(reached.status), arn, soft_wrap=True)
    if reached.ended:
        console.print(
            f"{reached.objects} objects: {reached.sent} sent to the starter, {reached.failed} failed."
        )
    if reached.error:
        console.print(f"Error: {reached.error}. Run it again: what was started is not started twice.")
    console.print("What becomes of them: scanward executions list --engine aws", style="dim")
