"""`scanward deidentify` on a terminal: runs the request, shows what was not delivered, then the summary."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from scanward.entrypoints.cli.batch.address import S3Address
from scanward.entrypoints.cli.batch.plan import Note, Outcome, Tally
from scanward.entrypoints.cli.batch.progress import meter
from scanward.entrypoints.cli.batch.request import Request
from scanward.entrypoints.cli.batch.run import Run
from scanward.entrypoints.cli.batch.summary import show
from scanward.entrypoints.cli.configuration import read_settings
from scanward.entrypoints.cli.console import err, harmless, out, outcome_text, print_json
from scanward.entrypoints.cli.door import PARTLY
from scanward.logs import configure

_REFUSED = (Outcome.REJECTED, Outcome.QUARANTINED)


@dataclass(frozen=True, slots=True)
class Options:
    """The command's options; `changed` are settings given on the command line."""

    source: Path | S3Address
    target: Path | S3Address
    changed: Mapping[str, object]
    jobs: int
    shard: str
    scheduler: str
    report: Path | None
    dry: bool
    force: bool
    json: bool


def deidentify_command(options: Options) -> int:
    """Run; return 0, or 1 if something was rejected or quarantined."""
    settings = read_settings(**options.changed)
    configure("WARNING")
    request = Request(
        source=options.source,
        target=options.target,
        settings=settings,
        names=settings.deid_keys,
        jobs=options.jobs,
        shard=options.shard,
        scheduler=options.scheduler,
        report=options.report,
        dry=options.dry,
        force=options.force,
        rows=options.json,
    )
    console = err()
    shower = _Json() if options.json else _Notes(console)
    run = Run(request, show=shower)
    with meter(console, run.count) as progress:
        total = run.go(progress)
    if options.json:
        print_json({"summary": run.summary()})
    else:
        show(total, out(), dry=options.dry)
    return PARTLY if any(total.outcomes[outcome] for outcome in _REFUSED) else 0


class _Notes:
    """Names what was not delivered, above the progress."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __call__(self, tally: Tally) -> None:
        for note in tally.notes:
            self._console.print(_line(note), soft_wrap=True)


class _Json:
    """Prints a row a file, with its input's path: it is the caller's own terminal or pipe."""

    def __call__(self, tally: Tally) -> None:
        for row in tally.rows:
            print_json({"input": row.relative, **json.loads(row.text)})


def _line(note: Note) -> object:
    text = outcome_text(note.outcome.value)
    return text.append(" ").append_text(harmless(note.relative)).append(": ").append(note.reason, style="dim")
