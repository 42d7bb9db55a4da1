"""Runs the `scanward` command as a person does: its own process, its own home and key."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCANWARD = Path(sys.executable).with_name("scanward")


def environment(home: Path, **settings: str) -> dict[str, str]:
    """Return a process environment with a home of its own; settings without their prefix."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SCANWARD_")}
    home.mkdir(parents=True, exist_ok=True)
    wide = {"COLUMNS": "2000", "HOME": str(home), "SCANWARD_KEY_FILE": str(home / "site.key")}
    return kept | wide | {f"SCANWARD_{name.upper()}": value for name, value in settings.items()}


def scanward(
    *arguments: str | Path, home: Path, seconds: float = 240, **settings: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end."""
    return subprocess.run(
        [SCANWARD, *map(str, arguments)],
        env=environment(home, **settings),
        check=False,
        capture_output=True,
        timeout=seconds,
    )
