"""Words for the terminal: what comes from input is made harmless before it is shown."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

_PIPE_WIDTH = 160

OUTCOME_STYLES: Mapping[str, str] = {
    "deidentified": "green",
    "SUCCEEDED": "green",
    "already done": "cyan",
    "duplicate": "cyan",
    "skipped": "dim",
    "RUNNING": "yellow",
    "quarantined": "yellow",
    "QUARANTINED": "yellow",
    "rejected": "red",
    "REJECTED": "red",
    "FAILED": "red",
    "TIMED_OUT": "red",
}


def out() -> Console:
    """Return the console of standard output; in a pipe as wide as a table needs."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, _PIPE_WIDTH)
    return console


def err() -> Console:
    """Return the console of standard error, where progress and complaints go."""
    return Console(stderr=True, highlight=False)


def harmless(text: str, style: str = "") -> Text:
    """Return text from input without control characters or markup: a file name must not steer a terminal."""
    clean = "".join(character if character.isprintable() else "\ufffd" for character in text)
    return Text(clean.encode("utf-8", "replace").decode(), style=style)


def outcome_text(outcome: str) -> Text:
    """Return an outcome in its colour."""
    return Text(outcome, style=OUTCOME_STYLES.get(outcome, ""))


def print_json(value: object) -> None:
    """Print a value for programs, on one line."""
    sys.stdout.write(json.dumps(value, default=str) + "\n")


def byte_size(count: float) -> str:
    """Return bytes for people: `512 B`, `1.5 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:  # noqa: PLR2004 - SI units step by a thousand
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
