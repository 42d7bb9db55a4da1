"""`scanward key`: show, export, import."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from scanward.deidentify import secret
from scanward.entrypoints.cli.console import err, out, print_json
from scanward.errors import BadInput
from scanward.settings import Settings

_STREAM = Path("-")
_LONGEST = 4096


def show(settings: Settings, *, json: bool) -> None:
    """Print place and fingerprint, and how to keep a copy."""
    existed = settings.key_file.exists()
    fingerprint = secret.fingerprint(secret.load_or_create(settings.key_file))
    if json:
        print_json({"key_file": str(settings.key_file), "fingerprint": fingerprint, "made_now": not existed})
        return
    out().print(f"{fingerprint}  {settings.key_file}{'' if existed else '  (made just now)'}", soft_wrap=True)
    out().print(
        "Keep a copy where the data is not: scanward key export FILE. Without it no later object "
        "of a patient gets the same pseudonym; who has it and the outputs can find out who is who.",
        style="dim",
    )


def export(settings: Settings, file: Path) -> None:
    """Write the secret to a new file of mode 0600. Raises BadInput if the file is there."""
    text = secret.encode(secret.load_or_create(settings.key_file))
    if file == _STREAM:
        sys.stdout.write(text)
        return
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise BadInput("The file is there; an export never overwrites. Give another name.") from None
    except OSError as error:
        raise BadInput(f"The export cannot be written: {os.strerror(error.errno or 0)}.") from None
    with os.fdopen(descriptor, "w") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(descriptor)
    err().print(
        f"Written to {file} (mode 0600). Keep it like the patients' names themselves.", soft_wrap=True
    )


def take_in(settings: Settings, file: Path) -> None:
    """Put an exported secret in place. Raises BadInput or Misconfigured."""
    try:
        text = sys.stdin.read(_LONGEST) if file == _STREAM else _read(file)
    except (OSError, UnicodeDecodeError):
        raise BadInput("The file cannot be read.") from None
    taken = secret.import_secret(settings.key_file, text)
    out().print(f"{secret.fingerprint(taken)}  {settings.key_file}", soft_wrap=True)


def _read(file: Path) -> str:
    with file.open(encoding="ascii") as opened:
        return opened.read(_LONGEST)
