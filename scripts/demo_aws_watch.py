"""A live table of executions moving through the states, as the demo on the emulator shows it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from tests.emulator.stack import FINAL, Stack

STATES = ("Ingestion", "Validation", "Deidentify")
IGNORED = "IGNORED"
_STYLES = {"SUCCEEDED": "green", "FAILED": "red", "RUNNING": "yellow", IGNORED: "dim"}


@dataclass
class Way:
    """One upload and how far it has come."""

    key: str
    arn: str = ""
    status: str = "waiting"
    reached: list[str] = field(default_factory=list)
    seconds: float = 0.0
    reason: str = ""
    output_key: str = ""

    @property
    def over(self) -> bool:
        """Return whether nothing more will happen."""
        return self.status in FINAL or self.status == IGNORED

    @property
    def outcome(self) -> str:
        """Return the status, or the error's words of what failed."""
        return self.reason.split(": ", 1)[0] if self.status == "FAILED" else self.status


def watch(stack: Stack, keys: list[str], console: Console, seconds: float) -> list[Way]:
    """Show the uploads' ways until all are over; return them. Raises TimeoutError."""
    ways = {key: Way(key) for key in keys}
    deadline = time.monotonic() + seconds
    with Live(_table(ways), console=console, refresh_per_second=4) as live:
        while not all(way.over for way in ways.values()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"Not everything was through after {seconds:g} s.")
            time.sleep(0.25)
            _look(stack, ways)
            live.update(_table(ways))
    return list(ways.values())


def _look(stack: Stack, ways: dict[str, Way]) -> None:
    for key, way in ways.items():
        if not way.arn and not way.over:
            _find(stack, key, way)
    statuses = {one["executionArn"]: one for one in stack.executions()}
    for way in ways.values():
        if way.arn in statuses and not way.over:
            _follow(stack, way, statuses[way.arn])


def _find(stack: Stack, key: str, way: Way) -> None:
    row = stack.row_of(key)
    if row.get("shelf") == IGNORED:
        way.status, way.reason = IGNORED, "not DICOM by name or content"
    elif started := stack.executions_of(key):
        way.arn = started[0]["executionArn"]


def _follow(stack: Stack, way: Way, listed: dict[str, Any]) -> None:
    way.status = listed["status"]
    way.reached = list(_entered(stack, way.arn))
    stopped: datetime = listed.get("stopDate") or datetime.now(listed["startDate"].tzinfo)
    way.seconds = (stopped - listed["startDate"]).total_seconds()
    if way.status in FINAL:
        found = stack.describe(way.arn)
        if way.status == "SUCCEEDED":
            way.output_key = found["output"]["output"]["key"]
        else:
            way.reason = f"{found.get('error', way.status)}: {found.get('cause', '')}"


def _entered(stack: Stack, arn: str) -> Iterator[str]:
    history = stack.account.client("stepfunctions").get_execution_history(executionArn=arn)
    for event in history["events"]:
        name = event.get("stateEnteredEventDetails", {}).get("name", "")
        if name in (*STATES, "Quarantine"):
            yield name


def _table(ways: dict[str, Way]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("Upload", "Went through", "Status", "Seconds", "Reason"):
        table.add_column(column, overflow="fold", justify="right" if column == "Seconds" else "left")
    for way in ways.values():
        style = _STYLES.get(way.status, "")
        seconds = f"{way.seconds:.1f}" if way.arn else ""
        table.add_row(
            way.key.rpartition("/")[2],
            " > ".join(way.reached),
            f"[{style}]{way.status}[/]" if style else way.status,
            seconds,
            way.reason,
        )
    return table
