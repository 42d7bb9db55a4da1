"""`scanward executions`: list, describe, redrive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table

from scanward.entrypoints.cli.console import byte_size, harmless, out, outcome_text, print_json
from scanward.ports.executions import Execution, Executions, Status

if TYPE_CHECKING:
    from scanward.adapters.aws.executions import DynamoExecutions


@dataclass(frozen=True, slots=True)
class Page:
    """Which executions to list."""

    status: str | None
    dead_letter: bool
    limit: int
    after: str


def show_list(executions: Executions, page: Page, *, engine: str, json: bool) -> None:
    """Print a page of executions."""
    status = Status(page.status) if page.status else None
    found = executions.list(status, page.limit, page.after, dead_letter=page.dead_letter)
    if json:
        print_json([_plain(one) for one in found])
        return
    table = Table(box=None, pad_edge=False)
    for column in ("Execution", "Status", "File", "Modality", "Size", "Started", "Attempts", "Error"):
        table.add_column(column, overflow="fold")
    for one in found:
        attempts = f"{one.attempts}, given up" if one.dead_letter else str(one.attempts)
        started = one.started.isoformat(" ", timespec="seconds")
        size = byte_size(one.size)
        status_text = outcome_text(one.status.value)
        table.add_row(
            one.id, status_text, harmless(one.name), one.modality, size, started, attempts, one.error
        )
    out().print(table)
    if len(found) == page.limit:
        on_aws = " --engine aws" if engine == "aws" else ""
        out().print(f"More: scanward executions list{on_aws} --after {found[-1].id}", style="dim")


def show_ignored(executions: DynamoExecutions, limit: int, after: str, *, json: bool) -> None:
    """Print the objects that the starter on AWS did not take."""
    found = executions.ignored(limit, after)
    if json:
        print_json([asdict(one) for one in found])
        return
    table = Table(box=None, pad_edge=False)
    for column in ("Object", "Reason", "Raw key", "Size", "Arrived"):
        table.add_column(column, overflow="fold")
    for one in found:
        arrived = one.arrived.isoformat(" ", timespec="seconds")
        table.add_row(one.id, one.reason, harmless(one.raw_key), byte_size(one.size), arrived)
    out().print(table)
    if len(found) == limit:
        out().print(f"More: scanward executions ignored --after {found[-1].id}", style="dim")


def show_one(executions: Executions, execution_id: str, *, json: bool) -> None:
    """Print one execution. Raises NotFound."""
    one = executions.describe(execution_id)
    if json:
        print_json(_plain(one))
        return
    out().print(Group(_facts(one), _stages(one)))
    for fault in one.faults:
        out().print(
            harmless(f"{fault.severity}: {fault.path} {fault.message} [{fault.rule}, {fault.clause}]")
        )


def redrive(executions: Executions, execution_ids: Sequence[str], *, json: bool) -> None:
    """Start executions anew. Raises NotFound or BadInput at the first that cannot be."""
    for execution_id in execution_ids:
        one = executions.redrive(execution_id)
        if json:
            print_json(_plain(one))
        else:
            out().print(f"{one.id} {one.status.value}")


def _plain(one: Execution) -> dict[str, object]:
    return asdict(one)


def _facts(one: Execution) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_row("Execution", one.id)
    table.add_row("Status", outcome_text(one.status.value))
    table.add_row("File", harmless(one.name))
    table.add_row("Raw key", one.raw_key)
    table.add_row("Modality, size", f"{one.modality or '-'}, {byte_size(one.size)}")
    table.add_row("Started", one.started.isoformat(" ", timespec="milliseconds"))
    table.add_row("Stopped", one.stopped.isoformat(" ", timespec="milliseconds") if one.stopped else "-")
    table.add_row("Attempts", f"{one.attempts}{' (given up: redrive it)' if one.dead_letter else ''}")
    for name, text in (
        ("Error", one.error),
        ("Cause", one.cause),
        ("Key", one.deid_key),
        ("Study", one.deid_study_uid),
    ):
        if text:
            table.add_row(name, harmless(text))
    return table


def _stages(one: Execution) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("Stage", "Status", "Seconds"):
        table.add_column(column)
    for stage in one.stages:
        table.add_row(stage.name, outcome_text(stage.status.value), f"{stage.seconds:.4f}")
    return table
