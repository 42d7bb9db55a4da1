"""Commands of the service and of its store: serve, worker, ingest, executions, link."""
# ruff: noqa: PLC0415 - each command imports what it needs when it runs, so that `--help` is quick

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scanward.errors import BadInput

if TYPE_CHECKING:
    from scanward.ports.executions import Executions

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Data = Annotated[Path | None, typer.Option("--data", help="Folder of the store and the catalog.")]
BackupKeyFile = Annotated[
    Path,
    typer.Option("--key-file", metavar="FILE", help="Key or passphrase of backups; not the site's key."),
]
executions_app = typer.Typer(help="Objects on their way through the line.", no_args_is_help=True)


class ZoneChoice(StrEnum):
    """`--zone` of a link."""

    DEID = "deid"
    RAW = "raw"


class Engines(StrEnum):
    """`--engine`."""

    LOCAL = "local"
    AWS = "aws"


EngineChoice = Annotated[
    Engines, typer.Option("--engine", help="The line of this machine, or the one on AWS (SCANWARD_AWS_…).")
]


class StatusChoice(StrEnum):
    """`--status` of a list."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(serve)
    app.command()(worker)
    app.command()(ingest)
    app.add_typer(executions_app, name="executions")
    app.command()(backfill)
    app.command()(link)
    app.command()(check)
    app.command()(reindex)
    app.command()(backup)
    app.command()(restore)


def serve(
    *,
    host: Annotated[
        str, typer.Option(help="Address to listen on; loopback only until accounts exist.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    data: Data = None,
) -> None:
    """Run the service and its workers, until Ctrl-C."""
    from scanward.entrypoints.cli.configuration import read_settings
    from scanward.entrypoints.http.server import run
    from scanward.logs import configure

    settings = read_settings(data=data)
    configure(settings.log_level)
    run(settings, host, port)


def worker(*, data: Data = None) -> None:
    """Run workers only, beside a service on the same catalog; SCANWARD_WORKERS says how many."""
    from scanward.entrypoints import worker as workers
    from scanward.entrypoints.cli.configuration import read_settings
    from scanward.logs import configure

    settings = read_settings(data=data)
    configure(settings.log_level)
    workers.run(settings)


def ingest(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Folders, files and .zip archives.")],
    *,
    data: Data = None,
    json: Json = False,
) -> None:
    """Take files through the whole line and print one table: what became of each, how long it took, and why.

    Exit code 0: all was de-identified, was there already, or is not DICOM. 1: some was rejected, quarantined
    or timed out. 2: the command was wrong. 3: stopped by the disk, the key or the database.
    """
    from scanward.entrypoints.cli.configuration import read_settings
    from scanward.entrypoints.cli.ingest.command import ingest_command

    raise typer.Exit(ingest_command(paths, read_settings(data=data), json=json))


@executions_app.command("list")
def list_executions(  # noqa: PLR0913 - a command has its options
    *,
    status: Annotated[StatusChoice | None, typer.Option(help="Only those of this status.")] = None,
    dead_letter: Annotated[
        bool, typer.Option("--dead-letter", help="Only those that were given up.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    after: Annotated[str, typer.Option(metavar="ID", help="Those behind this one, for the next page.")] = "",
    engine: EngineChoice = Engines.LOCAL,
    data: Data = None,
    json: Json = False,
) -> None:
    """List executions, the newest first."""
    from scanward.entrypoints.cli.executing import Page, show_list

    page = Page(status and status.value, dead_letter=dead_letter, limit=limit, after=after)
    show_list(_executions(engine, data), page, engine=engine.value, json=json)


@executions_app.command("describe")
def describe_execution(
    execution_id: Annotated[str, typer.Argument(metavar="ID")],
    *,
    engine: EngineChoice = Engines.LOCAL,
    data: Data = None,
    json: Json = False,
) -> None:
    """Show one execution with its stages and faults; on AWS its name or ARN will do."""
    from scanward.entrypoints.cli.executing import show_one

    show_one(_executions(engine, data), execution_id, json=json)


@executions_app.command("redrive")
def redrive_execution(
    execution_ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Executions that ended badly.")],
    *,
    engine: EngineChoice = Engines.LOCAL,
    data: Data = None,
    json: Json = False,
) -> None:
    """Start failed or timed out executions anew; a running service or `scanward worker` takes them up.

    On AWS Step Functions does, and a dead letter of the queue (its ID begins with `sqs-`) goes back there.
    """
    from scanward.entrypoints.cli.executing import redrive

    redrive(_executions(engine, data), execution_ids, json=json)


@executions_app.command("ignored")
def list_ignored(
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    after: Annotated[str, typer.Option(metavar="ID", help="Those behind this one, for the next page.")] = "",
    json: Json = False,
) -> None:
    """List objects in the raw bucket on AWS that started nothing, and why, the newest first.

    not-dicom: neither by name nor by content. outside-prefix: not where uploads belong, with one bucket.
    """
    from scanward.entrypoints.cli.configuration import read_aws_settings
    from scanward.entrypoints.cli.executing import show_ignored
    from scanward.wiring import open_aws_executions

    show_ignored(open_aws_executions(read_aws_settings()), limit, after, json=json)


def backfill(
    source: Annotated[str, typer.Argument(metavar="S3", help="s3://BUCKET or s3://BUCKET/PREFIX.")],
    *,
    batch: Annotated[int, typer.Option(min=1, max=1000, help="Objects that the starter gets at once.")] = 50,
    concurrency: Annotated[int, typer.Option(min=1, max=1000, help="Batches under way at once.")] = 10,
    tolerate: Annotated[
        float, typer.Option(metavar="PERCENT", min=0, max=100, help="Objects that may fail.")
    ] = 5.0,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Watch it until it ends.")] = True,
    json: Json = False,
) -> None:
    """Send what is in the raw bucket on AWS already through the line; nothing is processed twice.

    Exit code 0: all was sent, or it was not waited for. 1: more failed than is tolerated; run it again.
    """
    from scanward.adapters.aws.backfill import Order
    from scanward.entrypoints.cli.backfilling import run_backfill
    from scanward.entrypoints.cli.configuration import read_aws_settings
    from scanward.wiring import open_backfill

    order = Order.of(source, batch, concurrency, tolerate)
    raise typer.Exit(run_backfill(open_backfill(read_aws_settings()), order, wait=wait, json=json))


def _executions(engine: Engines, data: Path | None) -> Executions:
    from scanward.entrypoints.cli.configuration import read_aws_settings, read_settings
    from scanward.wiring import open_executions

    if engine is Engines.AWS and data is not None:
        raise BadInput("--data is a folder of this machine; it does not go with --engine aws.")
    aws = read_aws_settings() if engine is Engines.AWS else None
    return open_executions(engine.value, read_settings(data=data), aws)


def link(
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="Key of an object, as executions and studies show it.")
    ],
    *,
    expires: Annotated[str, typer.Option(metavar="TIME", help="30s, 15m, 1h or 7d, at most 7 days.")] = "1h",
    zone: Annotated[ZoneChoice, typer.Option(help="raw is identified.")] = ZoneChoice.DEID,
    base: Annotated[
        str, typer.Option(metavar="URL", help="Address of the service.")
    ] = "http://127.0.0.1:8000",
    data: Data = None,
    json: Json = False,
) -> None:
    """Print a signed, expiring address of one object."""
    from scanward.entrypoints.cli.configuration import read_settings
    from scanward.entrypoints.cli.linking import LinkRequest, print_link

    print_link(read_settings(data=data), LinkRequest(key, expires, zone.value, base), json=json)


def check(
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Names and rows only; no content is read.")] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Check every object that is kept: its checksum, objects without a row, rows without an object.

    Exit code 0: all is as the catalog says. 1: something is not, and is named.
    """
    from scanward.entrypoints.cli.configuration import read_settings
    from scanward.entrypoints.cli.keeping.checking import check_command

    raise typer.Exit(check_command(read_settings(data=data), quick=quick, json=json))


def reindex(*, data: Data = None, json: Json = False) -> None:
    """Make the catalog's index anew from the objects; originals without a row are taken in again.

    Exit code 0: every object could be read. 1: some could not. Audit, and executions that were lost, come
    from a backup only.
    """
    from scanward.entrypoints.cli.configuration import read_settings
    from scanward.entrypoints.cli.keeping.reindexing import reindex_command

    raise typer.Exit(reindex_command(read_settings(data=data), json=json))


def backup(
    place: Annotated[Path, typer.Argument(metavar="DEST", help="A new file, or a folder that is there.")],
    *,
    key_file: BackupKeyFile,
    new_key: Annotated[bool, typer.Option("--new-key", help="Make a random key in FILE first.")] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read the backup DEST, every byte; write nothing.")
    ] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Write catalog and objects to one encrypted file, without the site's key; the service may run.

    Exit code 0: all is in it. 1: it is whole, but an object was missing or damaged already, and is named.
    2: the command or the file was wrong. 3: stopped by the disk, a key or the database; nothing was written.
    """
    from scanward.entrypoints.cli.configuration import read_settings
    from scanward.entrypoints.cli.keeping.backing_up import backup_command, verify_command

    if verify and new_key:
        raise BadInput("A backup is verified with the key that it was made with; leave `--new-key` out.")
    if verify:
        raise typer.Exit(verify_command(place, key_file, json=json))
    settings = read_settings(data=data)
    raise typer.Exit(backup_command(settings, place, key_file, new_key=new_key, json=json))


def restore(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="A backup.")],
    *,
    key_file: BackupKeyFile,
    data: Data = None,
    json: Json = False,
) -> None:
    """Put a backup back into an empty data folder; the site's key must be there already.

    Exit codes as of `scanward backup`; what fails leaves nothing.
    """
    from scanward.entrypoints.cli.configuration import read_settings
    from scanward.entrypoints.cli.keeping.restoring import restore_command

    raise typer.Exit(restore_command(read_settings(data=data), source, key_file, json=json))
