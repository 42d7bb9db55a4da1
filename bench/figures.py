"""Where figures are kept, and what machine they are of."""

from __future__ import annotations

import os
import platform
from pathlib import Path

README = Path(__file__).parent / "README.md"


def machine() -> str:
    """Return the machine's processor, cores, kernel and Python."""
    info = Path("/proc/cpuinfo").read_text("utf-8")
    names = [line.split(": ", 1)[1] for line in info.splitlines() if line.startswith("model name")]
    cpu = names[0] if names else platform.machine()
    return f"{cpu}, {os.cpu_count()} cores, Linux {platform.release()}, Python {platform.python_version()}"


def write(name: str, block: str) -> None:
    """Put a block between its marks in bench/README.md."""
    begin, end = f"<!-- {name}: written by `make bench-{name}` -->", f"<!-- /{name} -->"
    text = README.read_text("utf-8")
    before, rest = text.split(begin)
    README.write_text(f"{before}{begin}\n{block}\n{end}{rest.split(end)[1]}", "utf-8")
