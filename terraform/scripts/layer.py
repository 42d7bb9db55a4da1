"""Tidy, inspect and pack the folder of a Lambda layer; build_lambda_layer.sh calls it."""  # noqa: INP001 - a script

from __future__ import annotations

import argparse
import re
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

UNZIPPED_LIMIT = 250 << 20  # Lambda: function and layers together
ZIPPED_LIMIT = 50 << 20  # Lambda: a zip that is sent with the request
MACHINES = {"x86_64": 62, "arm64": 183}  # e_machine of an ELF header
# The services that scanward talks to, and what botocore itself reads; the other 400 are 90 MB of nothing.
SERVICES = frozenset({
    "cloudwatch", "dynamodb", "events", "kms", "lambda", "logs", "medical-imaging", "s3", "secretsmanager",
    "sns", "sqs", "ssm", "stepfunctions", "sts",
})  # fmt: skip
RUBBISH = ("__pycache__", "bin", "*/tests", "pydicom/data/test_files", "pydicom/data/charset_files")
RUBBISH_SUFFIXES = frozenset({".pyc", ".pyi", ".pyx", ".pxd", ".c", ".h"})
RECORDS = frozenset({"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "entry_points.txt", ".lock"})
DOORS = ("cli", "http", "worker")  # of scanward/entrypoints: no function is entered by them
EPOCH = (1980, 1, 1, 0, 0, 0)


def tidy(folder: Path, root: Path) -> None:
    """Put scanward beside its packages and take away what no function needs."""
    shutil.copytree(
        root / "scanward", folder / "scanward", ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
    )
    # Phase 1's functions are entered by these names, which a template's inline code cannot have.
    for module in sorted(root.glob("phase1_ingestion/lambda_*.py")):
        shutil.copyfile(module, folder / module.name)
    for door in DOORS:
        shutil.rmtree(folder / "scanward" / "entrypoints" / door)
    for pattern in RUBBISH:
        for found in sorted(folder.rglob(pattern)):
            shutil.rmtree(found, ignore_errors=True)
    for service in sorted(folder.glob("botocore/data/*/")):
        if service.name not in SERVICES:
            shutil.rmtree(service)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and (path.suffix in RUBBISH_SUFFIXES or path.name in RECORDS):
            path.unlink()


def faults(folder: Path, python: str, architecture: str) -> Iterator[str]:
    """Yield what would not run in Lambda: code of another machine or Python, rubbish, too many bytes."""
    size = 0
    for path in files(folder):
        name = path.relative_to(folder).as_posix()
        size += path.stat().st_size
        if ".so" in path.suffixes:
            yield from _native_faults(path, name, python, architecture)
        if path.suffix == ".pyc" and f".cpython-{python.replace('.', '')}." not in path.name:
            yield f"{name}: compiled by another Python"
        if "/tests/" in f"/{name}":
            yield f"{name}: a test"
    if size > UNZIPPED_LIMIT:
        yield f"{size:,} bytes unzipped are more than Lambda's {UNZIPPED_LIMIT:,}"
    if not (folder / "scanward" / "__init__.py").is_file():
        yield "scanward is missing"


def _native_faults(path: Path, name: str, python: str, architecture: str) -> Iterator[str]:
    head = path.read_bytes()[:20]
    little_endian_64 = head[:6] == b"\x7fELF\x02\x01"
    if not little_endian_64 or int.from_bytes(head[18:20], "little") != MACHINES[architecture]:
        yield f"{name}: no shared object for {architecture}"
    built_for = re.search(r"\.cpython-(\d+)", path.name)
    if built_for and built_for[1] != python.replace(".", ""):
        yield f"{name}: built for Python {built_for[1]}"


def files(folder: Path) -> list[Path]:
    """Return the folder's files in one order, whatever the disk's."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def pack(folder: Path, target: Path) -> None:
    """Write the zip that is the same, byte for byte, whenever its files are."""
    unfinished = target.with_suffix(".part")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in files(folder):
            entry = zipfile.ZipInfo(f"python/{path.relative_to(folder).as_posix()}", EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            entry.create_system = 3
            archive.writestr(entry, path.read_bytes())
    if unfinished.stat().st_size > ZIPPED_LIMIT:
        sys.exit(f"The zip has {unfinished.stat().st_size:,} bytes; Lambda takes {ZIPPED_LIMIT:,}.")
    unfinished.replace(target)


def versions(folder: Path) -> list[str]:
    """Return name and version of every package inside."""
    found = [path.name.removesuffix(".dist-info") for path in folder.glob("*.dist-info")]
    return sorted("==".join(name.split("-", 1)) for name in found)


def main() -> None:
    """Do what the first argument says."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    tidying = commands.add_parser("tidy")
    tidying.add_argument("folder", type=Path)
    tidying.add_argument("root", type=Path)
    packing = commands.add_parser("pack")
    packing.add_argument("folder", type=Path)
    packing.add_argument("target", type=Path)
    packing.add_argument("--python", required=True)
    packing.add_argument("--architecture", required=True, choices=sorted(MACHINES))
    given = parser.parse_args()
    if given.command == "tidy":
        tidy(given.folder, given.root)
        return
    wrong = list(faults(given.folder, given.python, given.architecture))
    if wrong:
        sys.exit("This layer would not run:\n" + "\n".join(wrong))
    pack(given.folder, given.target)
    inside = versions(given.folder)
    given.target.with_suffix(".txt").write_text("".join(f"{line}\n" for line in inside), encoding="utf-8")
    unzipped = sum(path.stat().st_size for path in files(given.folder))
    compiled = sum(path.suffix == ".pyc" for path in files(given.folder))
    sys.stdout.write(
        f"{given.target}: {given.target.stat().st_size:,} bytes, {unzipped:,} unzipped, "
        f"{compiled} files compiled, inspected for Python {given.python} on {given.architecture}.\n"
        f"  {', '.join(inside)}\n"
    )


if __name__ == "__main__":
    main()
