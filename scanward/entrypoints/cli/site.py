"""Commands about one's site and about single objects: verify, config, key, doctor, profiles."""
# ruff: noqa: PLC0415 - each command imports what it needs when it runs, so that `--help` is quick

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Data = Annotated[Path | None, typer.Option("--data", help="Folder of the store and the catalog.")]
config_app = typer.Typer(help="Settings.", no_args_is_help=True)
key_app = typer.Typer(help="The site's secret, from which every pseudonym is made.", no_args_is_help=True)
profiles_app = typer.Typer(help="De-identification profiles.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(verify)
    app.add_typer(profiles_app, name="profiles")
    app.add_typer(config_app, name="config")
    app.add_typer(key_app, name="key")
    app.command()(doctor)


def verify(
    original: Annotated[Path, typer.Argument(metavar="ORIGINAL", exists=True, dir_okay=False)],
    processed: Annotated[Path, typer.Argument(metavar="PROCESSED", exists=True, dir_okay=False)],
    *,
    values: Annotated[bool, typer.Option("--values", help="Show values: they identify the patient.")] = False,
    json: Json = False,
) -> None:
    """Compare an object with its de-identified one: what changed, and whether an identifier is left.

    Exit code 0: it looks de-identified. 1: an identifier of the original stands somewhere in the processed
    bytes, or the object does not say that it was de-identified. 2: one of the files is not DICOM.
    """
    from scanward.entrypoints.cli.verifying.command import verify_command

    raise typer.Exit(verify_command(original, processed, values=values, json=json))


@config_app.command("show")
def show_config(*, data: Data = None, json: Json = False) -> None:
    """Print every setting, where it comes from and what it means; secrets are hidden."""
    from scanward.entrypoints.cli.configuration import read_settings
    from scanward.entrypoints.cli.showing import show_settings

    changed = frozenset({"data"} if data is not None else ())
    show_settings(read_settings(data=data), changed, json=json)


@key_app.command("show")
def show_key(*, json: Json = False) -> None:
    """Print the secret's place and fingerprint, never the secret; it is made if there is none."""
    from scanward.entrypoints.cli.configuration import read_settings
    from scanward.entrypoints.cli.keyfile import show

    show(read_settings(), json=json)


@key_app.command("export")
def export_key(
    file: Annotated[Path, typer.Argument(help="A new file (mode 0600), or - for standard output.")],
) -> None:
    """Write the secret to a file, to keep it where the data is not."""
    from scanward.entrypoints.cli.configuration import read_settings
    from scanward.entrypoints.cli.keyfile import export

    export(read_settings(), file)


@key_app.command("import")
def import_key(
    file: Annotated[Path, typer.Argument(help="An exported secret, or - for standard input.")],
) -> None:
    """Put an exported secret in place; another one that is there is never overwritten."""
    from scanward.entrypoints.cli.configuration import read_settings
    from scanward.entrypoints.cli.keyfile import take_in

    take_in(read_settings(), file)


def doctor(*, data: Data = None, json: Json = False) -> None:
    """Check this site: permissions, disk encryption, free space, clock, key, database.

    Exit code 0: nothing is wrong (a warning is not). 1: something is.
    """
    from scanward.entrypoints.cli.configuration import read_settings
    from scanward.entrypoints.cli.doctoring.command import doctor_command

    raise typer.Exit(doctor_command(read_settings(data=data), json=json))


@profiles_app.command("list")
def list_profiles(*, json: Json = False) -> None:
    """List the shipped profiles and their options."""
    from scanward.entrypoints.cli.showing import show_profiles

    show_profiles(json=json)


@profiles_app.command("show")
def show_profile(
    profile: Annotated[str, typer.Argument(metavar="PROFILE", help="Name or the path of a YAML file.")],
    *,
    json: Json = False,
) -> None:
    """Print what a profile does with every attribute of PS3.15 Table E.1-1."""
    from scanward.entrypoints.cli.showing import show_policy

    show_policy(profile, json=json)
