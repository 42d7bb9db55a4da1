"""De-identification beside `cp -r` and what a user would pick instead, on one core, in one run.

Every contender works on the same 1,000 objects (`bench.corpus`). CPU is user plus system time of the
contender's own processes; its start-up, measured on a single object, is taken off. `cp` and the contenders of
this house take turns, so that a neighbour's load falls on all; the medians are printed. Nothing is synced but
what the CLI syncs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import corpus

README = Path(__file__).parent / "README.md"
MARKS = ("<!-- deidentify: written by `make bench-deidentify` -->", "<!-- /deidentify -->")
PEERS = {"dicognito": "0.19.0", "dicom-anonymizer": "2.1.0"}
TARGETS = {"byte path": 1.6, "scanward deidentify": 2.5}


@dataclass(frozen=True, slots=True)
class Row:
    """One contender: its name, CPU and wall seconds for 1,000 objects."""

    name: str
    cpu: float
    wall: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the run happens: corpus, its files flat, one of them, scratch space, the peers' environments."""

    corpus: Path
    flat: Path
    single: Path
    scratch: Path
    peers: Path


def timed(command: list[str]) -> tuple[float, float]:
    """Run a command and return its CPU and wall seconds. Raises CalledProcessError."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after, ended = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return used, ended - began


def fresh(place: Place, name: str) -> Path:
    """Return a path in the scratch space where nothing is."""
    path = place.scratch / name
    shutil.rmtree(path, ignore_errors=True)
    return path


def cp(place: Place) -> tuple[float, float]:
    """Copy the corpus byte for byte."""
    return timed(["cp", "--reflink=never", "-r", str(place.corpus), str(fresh(place, "cp"))])


def cp_in_kernel(place: Place) -> tuple[float, float]:
    """Copy the corpus as `cp -r` does without options, by `copy_file_range` (no reflink on ext4)."""
    return timed(["cp", "-r", str(place.corpus), str(fresh(place, "cp"))])


def byte_path(place: Place) -> tuple[float, float]:
    """Clean the corpus in one loop with the engine alone."""
    loop = [sys.executable, "-m", "bench.deidentify_loop"]
    arguments = [str(place.corpus), str(fresh(place, "loop")), "hipaa-safe-harbor"]
    done = subprocess.run([*loop, *arguments], check=True, stdout=subprocess.PIPE)
    used = json.loads(done.stdout)
    return used["cpu"], used["wall"]


def shipped(place: Place) -> tuple[float, float]:
    """Clean the corpus with the command as shipped: gate, report, resume, synced."""

    def run(source: Path) -> tuple[float, float]:
        target, report = fresh(place, "cli"), place.scratch / "cli.jsonl"
        report.unlink(missing_ok=True)
        program = [str(Path(sys.executable).parent / "scanward"), "deidentify", str(source), str(target)]
        return timed([*program, "--jobs", "1", "--report", str(report)])

    return _without_start(run, place.single, place.corpus)


def dicognito(place: Place) -> tuple[float, float]:
    """Clean the flat folder with dicognito."""

    def run(source: Path) -> tuple[float, float]:
        target = fresh(place, "dicognito")
        program = str(place.peers / "dicognito" / "bin" / "python")
        return timed([program, "-m", "dicognito", "--quiet", "--output-directory", str(target), str(source)])

    return _without_start(run, place.single, place.flat)


def dicom_anonymizer(place: Place) -> tuple[float, float]:
    """Clean the flat folder with dicom-anonymizer."""

    def run(source: Path) -> tuple[float, float]:
        target = fresh(place, "dicom-anonymizer")
        target.mkdir()
        program = str(place.peers / "dicom-anonymizer" / "bin" / "dicom-anonymizer")
        return timed([program, str(source), str(target)])

    return _without_start(run, place.single, place.flat)


def gdcmanon(place: Place) -> tuple[float, float]:
    """Clean the flat folder with GDCM: Basic Profile, originals encrypted to a certificate, as it insists."""
    certificate = str(place.scratch / "certificate.pem")
    command = ["gdcmanon", "-e", "-c", certificate, "-i"]
    return _without_start(
        lambda source: timed([*command, str(source), "-o", str(fresh(place, "gdcmanon"))]),
        place.single,
        place.flat,
    )


def _without_start(
    run: Callable[[Path], tuple[float, float]], single: Path, full: Path
) -> tuple[float, float]:
    start, whole = run(single), run(full)
    return whole[0] - start[0], whole[1] - start[1]


def prepare(cache: Path, count: int) -> Place:
    """Make corpus, certificate and the peers' environments where they are missing."""
    place = Place(
        cache / f"corpus-{count}",
        cache / f"flat-{count}",
        cache / "single",
        cache / "scratch",
        cache / "peers",
    )
    for folder in (place.single, place.scratch, place.peers):
        folder.mkdir(parents=True, exist_ok=True)
    if not place.flat.exists():
        shutil.rmtree(place.corpus, ignore_errors=True)
        paths = corpus.make(place.corpus, count)
        place.flat.mkdir()
        for number, path in enumerate(paths):
            os.link(path, place.flat / f"{number:05}.dcm")
        shutil.copy(paths[0], place.single)
    for peer, version in PEERS.items():
        _environment(place.peers / peer, f"{peer}=={version}")
    _certificate(place.scratch)
    return place


def _environment(folder: Path, requirement: str) -> None:
    if (folder / "ready").exists():
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    subprocess.run([str(folder / "bin" / "pip"), "install", "--quiet", requirement], check=True)
    (folder / "ready").touch()


def _certificate(folder: Path) -> None:
    request = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "30",
        "-subj",
        "/CN=bench",
    ]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run([*request, *files], check=True, stderr=subprocess.DEVNULL)


def compare(place: Place, count: int, rounds: int) -> list[Row]:
    """Run every contender; those of this house and `cp` in turns, `rounds` times after one to warm up."""
    own = {
        "`cp -r --reflink=never`": cp,
        "`cp -r`": cp_in_kernel,
        "byte path": byte_path,
        "scanward deidentify": shipped,
    }
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in own}
    for turn in range(rounds + 1):
        for name, contender in own.items():
            used = contender(place)
            if turn:
                runs[name].append(used)
    rows = [
        Row(name, statistics.median(r[0] for r in used), statistics.median(r[1] for r in used))
        for name, used in runs.items()
    ]
    peers = {"gdcmanon": gdcmanon, "dicognito": dicognito, "dicom-anonymizer": dicom_anonymizer}
    rows += [Row(f"{name} {_version(name)}", *contender(place)) for name, contender in peers.items()]
    return [Row(row.name, row.cpu * 1000 / count, row.wall * 1000 / count) for row in rows]


def _version(peer: str) -> str:
    if peer in PEERS:
        return PEERS[peer]
    printed = subprocess.run([peer, "--version"], check=False, stdout=subprocess.PIPE, text=True).stdout
    return printed.split()[2]


def memory(place: Place) -> dict[str, int]:
    """Return by how many bytes the peak memory rises for one object, by the bytes of its pixels."""
    with tempfile.TemporaryDirectory(dir=place.scratch) as folder:
        program = [sys.executable, "-m", "bench.deidentify_memory", folder]
        done = subprocess.run(program, check=True, stdout=subprocess.PIPE)
    grown: dict[str, int] = json.loads(done.stdout)
    return grown


def table(rows: list[Row], grown: dict[str, int], count: int) -> str:
    """Return the figures as Markdown."""
    base, mine = rows[0].cpu, rows[2].cpu
    lines = [
        f"CPU (user + system) and wall time for 1,000 objects of 0.5 MB, measured on {count:,}, on one core.",
        f"Machine: {_machine()}.",
        "",
        "| | CPU s | wall s | CPU, first row = 1 | bound | byte path is faster by |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        bound = TARGETS.get(row.name, "")
        factor = f"{row.cpu / mine:.1f} x"
        lines.append(
            f"| {row.name} | {row.cpu:.3f} | {row.wall:.3f} | {row.cpu / base:.2f} | {bound} | {factor} |"
        )
    lines += ["", "| pixels of one object | peak memory above the idle process |", "|---|---|"]
    lines += [f"| {int(size) / 2**20:,.1f} MiB | {rise / 2**20:.1f} MiB |" for size, rise in grown.items()]
    return "\n".join(lines)


def _machine() -> str:
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    coreutils = subprocess.run(
        ["cp", "--version"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.split("\n")[0]
    system = f"Linux {platform.release()}, Python {platform.python_version()}"
    return f"{cpu}, {os.cpu_count()} cores, {system}, {coreutils}"


def write(block: str) -> None:
    """Put the figures between the marks of bench/README.md."""
    text = README.read_text("utf-8") if README.exists() else "# Benchmarks\n"
    if MARKS[0] not in text:
        text += f"\n## De-identification\n\n{MARKS[0]}\n{MARKS[1]}\n"
    before, rest = text.split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    README.write_text(f"{before}{MARKS[0]}\n{block}\n{MARKS[1]}{after}", "utf-8")


def main() -> None:
    """Run, print, and keep the table if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "scanward-bench")
    parser.add_argument("--count", type=int, default=1000, help="objects; fewer are scaled to 1,000")
    parser.add_argument(
        "--rounds", type=int, default=5, help="turns of cp and of this house; medians are printed"
    )
    parser.add_argument("--write", action="store_true", help="keep the table in bench/README.md")
    chosen = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    place = prepare(chosen.cache, chosen.count)
    block = table(compare(place, chosen.count, chosen.rounds), memory(place), chosen.count)
    print(block)
    if chosen.write:
        write(block)


if __name__ == "__main__":
    main()
