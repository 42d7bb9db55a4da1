"""The summary of a run, as a table for people and as JSON for programs and the report."""

from __future__ import annotations

from collections import Counter

from rich.console import Console
from rich.table import Table

from scanward import __version__
from scanward.deidentify.engine import ENGINE_VERSION, Engine
from scanward.deidentify.profile import load
from scanward.entrypoints.cli.batch.plan import Outcome, Plan, Tally
from scanward.entrypoints.cli.console import byte_size, outcome_text
from scanward.entrypoints.cli.words import keyword, sop_class_name

_TOP = 15


def as_json(total: Tally, plan: Plan, engine: Engine, shard: str) -> dict[str, object]:
    """Return the summary; it holds no name of an input."""
    return {
        "files": total.files,
        "bytes": total.bytes,
        "seconds": round(total.seconds, 3),
        "outcomes": {outcome.value: total.outcomes[outcome] for outcome in Outcome},
        "sop_classes": {sop_class_name(uid): count for uid, count in _ordered(total.sop_classes)},
        "changed": {keyword(tag): count for tag, count in _ordered(total.changed)},
        "warnings": dict(_ordered(total.warnings)),
        "profile": load(plan.settings.profile).name,
        "policy": engine.policy_hash,
        "key": engine.fingerprint,
        "domain": plan.settings.domain,
        "names": plan.names,
        "engine": ENGINE_VERSION,
        "version": __version__,
        "shard": shard,
        "dry_run": plan.dry,
    }


def show(total: Tally, console: Console, *, dry: bool) -> None:
    """Print the summary's tables."""
    outcomes = Table(
        title="Dry run: nothing was written" if dry else None, title_justify="left", box=None, pad_edge=False
    )
    outcomes.add_column("Outcome")
    outcomes.add_column("Files", justify="right")
    for outcome in Outcome:
        if total.outcomes[outcome] or outcome is Outcome.DEIDENTIFIED:
            outcomes.add_row(outcome_text(outcome.value), str(total.outcomes[outcome]))
    console.print(outcomes)
    _counts(console, "SOP class", {sop_class_name(uid): n for uid, n in _ordered(total.sop_classes)[:_TOP]})
    _counts(
        console,
        "Removed, emptied or replaced",
        {keyword(tag): n for tag, n in _ordered(total.changed)[:_TOP]},
    )
    if len(total.changed) > _TOP:
        console.print(f"and {len(total.changed) - _TOP} further attributes", style="dim")
    _counts(console, "Warning", dict(_ordered(total.warnings)[:_TOP]))
    rate = byte_size(total.bytes / max(total.seconds, 0.001))
    console.print(
        f"{total.files} files, {byte_size(total.bytes)} in {total.seconds:.1f} s ({rate}/s)", style="bold"
    )


def _ordered(counts: Counter[str]) -> list[tuple[str, int]]:
    """Return counts, the largest first, and of equal ones the first by name: two runs read alike."""
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))


def _counts(console: Console, title: str, counts: dict[str, int]) -> None:
    if not counts:
        return
    table = Table(box=None, pad_edge=False)
    table.add_column(title)
    table.add_column("Files", justify="right")
    for name, count in counts.items():
        table.add_row(name, str(count))
    console.print()
    console.print(table)
