"""The commands and their help. Each command imports what it needs when it runs, so that `--help` is quick."""
# ruff: noqa: PLC0415 - as the line above says

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
import typer.core

from scanward import __version__
from scanward.entrypoints.cli import service, site

app = typer.Typer(
    name="scanward",
    help="Takes medical images (DICOM) in, checks them, takes the patient out, keeps and hands them out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
)


class Names(StrEnum):
    """`--names`."""

    PRESERVE = "preserve"
    SAFE = "safe"
    PSEUDONYMOUS = "pseudonymous"


def command() -> typer.core.TyperGroup:
    """Return the whole program as one command."""
    return typer.main.get_group(app)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"scanward {__version__}")
        raise typer.Exit


@app.callback()
def scanward(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take DICOM in, check it, take the patient out, keep it, hand it out."""


@app.command()
def deidentify(  # noqa: PLR0913 - a command has its options
    source: Annotated[
        str, typer.Argument(metavar="IN", help="A folder, one file, a .zip, or s3://bucket/prefix.")
    ],
    target: Annotated[
        str,
        typer.Argument(
            metavar="OUT", help="A folder (or a file, for one file), made if missing; or s3://bucket/prefix."
        ),
    ],
    *,
    profile: Annotated[str | None, typer.Option(help="Profile name or the path of a YAML file.")] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes; the number of CPUs if not given.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write a line of JSON a file: what was done, never a value.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything but write outputs.")] = False,
    names: Annotated[
        Names | None, typer.Option(help="File and folder names that hold an identifier. [default: safe]")
    ] = None,
    shard: Annotated[
        str, typer.Option(metavar="I/N", help="Only part I of N, for array jobs on one OUT.")
    ] = "1/1",
    scheduler: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Dask scheduler to run on (scanward\\[dask]).")
    ] = "",
    domain: Annotated[
        str | None, typer.Option(help="Project whose pseudonyms cannot be joined with another's.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files in OUT that no run of Scanward wrote.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print a line of JSON a file and a summary.")] = False,
) -> None:
    """De-identify a folder, a file or an archive into OUT; run again, it continues where it stopped.

    OUT mirrors IN. What is not DICOM, and a DICOMDIR, is named and skipped; what the gate refuses
    (rejected) or what cannot be proven clean (quarantined) is named with the reason; none of it is copied.

    Exit code 0: all DICOM was de-identified (skipped files do not count). 1: some was rejected or
    quarantined. 2: the command was wrong. 3: stopped by the disk, the key or the cluster; run again to
    continue. 130: Ctrl-C.
    """
    from scanward.entrypoints.cli.batch.address import place
    from scanward.entrypoints.cli.batch.command import Options, deidentify_command

    changed = {"profile": profile, "domain": domain, "deid_keys": names and names.value}
    options = Options(
        source=place(source),
        target=place(target),
        changed={name: value for name, value in changed.items() if value is not None},
        jobs=jobs or os.cpu_count() or 1,
        shard=shard,
        scheduler=scheduler,
        report=report,
        dry=dry_run,
        force=force,
        json=json,
    )
    raise typer.Exit(deidentify_command(options))


service.register(app)
site.register(app)
