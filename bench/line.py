"""The whole line side by side with a bare loop and with Orthanc, on one disk, in one run.

Every contender gets the same CT-like objects (`bench.corpus`) and is done when all of them are durable:

- the bare loop writes and syncs two copies of each, file by file, and does nothing else;
- the line takes them by HTTP (`POST /uploads`) and is done when each is checked, validated, de-identified and
  in both zones: the sender's copy and the cleaned one;
- Orthanc takes them by HTTP (`POST /instances`) and stores one copy of each.

They take turns, so that a neighbour's load falls on all; the medians are printed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import corpus
from bench.figures import machine, write
from bench.line_orthanc import orthanc_seconds, orthanc_version
from bench.line_service import service_seconds

TARGET = 0.8


def bare_loop(files: list[Path], scratch: Path) -> float:
    """Return the seconds for two synced copies of each file."""
    began = time.perf_counter()
    for number, path in enumerate(files):
        body = path.read_bytes()
        for copy in ("raw", "deid"):
            target = os.open(scratch / f"{copy}{number}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            os.write(target, body)
            os.fsync(target)
            os.close(target)
    return time.perf_counter() - began


def measure(files: list[Path], scratch: Path, rounds: int, *, with_orthanc: bool) -> dict[str, float]:
    """Return the median rate of each contender in objects a second."""
    contenders: dict[str, Callable[[list[Path], Path], float]] = {
        "bare loop": bare_loop,
        "line": service_seconds,
    }
    if with_orthanc:
        contenders["Orthanc"] = orthanc_seconds
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(rounds):
        for name, run in contenders.items():
            place = scratch / f"{name.replace(' ', '-')}-{turn}"
            place.mkdir()
            rates[name].append(len(files) / run(files, place))
            shutil.rmtree(place)
            os.sync()
    return {name: statistics.median(values) for name, values in rates.items()}


def table(rates: dict[str, float], count: int, rounds: int) -> str:
    """Return the figures as Markdown."""
    bare = rates["bare loop"]
    said = {
        "bare loop": "bare loop, two synced copies a file",
        "line": "Scanward, the whole line by HTTP, both zones durable",
        "Orthanc": f"Orthanc {orthanc_version()}, one copy by HTTP" if "Orthanc" in rates else "",
    }
    lines = ["| contender | objects/s | of the bare loop |", "| --- | ---: | ---: |"]
    lines += [f"| {said[name]} | {rate:.0f} | {rate / bare:.2f} |" for name, rate in rates.items()]
    reached = "reached" if rates["line"] >= TARGET * bare else "missed"
    target = f"Target: the line at least {TARGET} of the bare loop's rate: {reached}."
    how = f"{count} objects of 0.5 MB, medians of {rounds} turns, 2 workers."
    return "\n".join([*lines, "", f"{target} {how}", "", f"Machine: {machine()}."])


def main() -> None:
    """Run, print, and keep the table if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--scratch", type=Path, default=Path(tempfile.gettempdir()), help="a folder on the disk to measure"
    )
    parser.add_argument("--no-orthanc", action="store_true")
    parser.add_argument("--write", action="store_true", help="keep the table in bench/README.md")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scanward-line-", dir=chosen.scratch) as scratch:
        files = corpus.make(Path(scratch) / "corpus", chosen.count)
        rates = measure(files, Path(scratch), chosen.rounds, with_orthanc=not chosen.no_orthanc)
        block = table(rates, chosen.count, chosen.rounds)
    print(block)
    if chosen.write:
        write("line", block)


if __name__ == "__main__":
    main()
