"""What a person asked of `scanward deidentify`, checked before anything is read or written."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from scanward.entrypoints.cli.batch.address import S3Address
from scanward.entrypoints.cli.batch.plan import Plan
from scanward.entrypoints.cli.batch.sources import Shard
from scanward.errors import BadInput
from scanward.receive.archive import is_zip
from scanward.settings import NamePolicy, Settings
from scanward.wiring import open_objects, open_secrets

_HEAD = 132
_SHARD = re.compile(r"^(\d+)/(\d+)$")


@dataclass(frozen=True, slots=True)
class Request:
    """The command's arguments."""

    source: Path | S3Address
    target: Path | S3Address
    settings: Settings
    names: NamePolicy = "safe"
    jobs: int = 1
    shard: str = "1/1"
    scheduler: str = ""
    report: Path | None = None
    dry: bool = False
    force: bool = False
    rows: bool = False


def parsed_shard(text: str) -> Shard:
    """Return part and count of `I/N`. Raises BadInput."""
    match = _SHARD.match(text)
    index, count = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= index <= count:
        raise BadInput("--shard is I/N with 1 <= I <= N, such as 3/8.")
    return Shard(index, count)


def planned(request: Request) -> Plan:
    """Return the plan of a request. Raises BadInput if source and target do not go together."""
    source, target = request.source, request.target
    kind = _kind(source)
    folder, output_name = _output(source, target, kind)
    _refuse_in_place(source, folder, kind)
    _refuse_report_inside(request.report, source)
    if request.force and isinstance(target, S3Address):
        raise BadInput("--force is for files; in S3 an output replaces only what a run of Scanward wrote.")
    root, only = _root(source, kind)
    return Plan(
        source=root,
        target=str(folder if isinstance(folder, S3Address) else folder.resolve()),
        settings=request.settings,
        fingerprint=open_secrets(request.settings).fingerprint(),
        names=request.names,
        only=only,
        output_name=output_name,
        dry=request.dry,
        rows=request.rows or request.report is not None,
        force=request.force,
    )


def _kind(source: Path | S3Address) -> str:
    if isinstance(source, S3Address):
        from scanward.entrypoints.cli.batch.bucket import is_object  # noqa: PLC0415 - boto3 is slow to import

        return "file" if is_object(source) else "folder"
    if not source.exists():
        raise BadInput("IN does not exist.")
    return "folder" if source.is_dir() else _file_kind(source)


def _root(source: Path | S3Address, kind: str) -> tuple[str, str]:
    """Return what is walked, and the name of the one file in it that is wanted."""
    if isinstance(source, S3Address):
        return (str(replace(source, key=source.folder)), source.name) if kind == "file" else (str(source), "")
    whole = source.resolve()
    return (str(whole.parent), whole.name) if kind == "file" else (str(whole), "")


def _file_kind(source: Path) -> str:
    if not source.is_file():
        raise BadInput("IN is neither a folder nor a file.")
    try:
        with source.open("rb") as file:
            return "zip" if is_zip(file.read(_HEAD)) else "file"
    except OSError:
        raise BadInput("IN cannot be read.") from None


def _output(source: Path | S3Address, target: Path | S3Address, kind: str) -> tuple[Path | S3Address, str]:
    """Return the output's folder, and its name if IN is one file and OUT is no folder."""
    if isinstance(target, S3Address):
        open_objects()  # which says at once if AWS is not set up
        return (replace(target, key=target.folder), target.name) if kind == "file" else (target, "")
    if kind != "file":
        if target.exists() and not target.is_dir():
            raise BadInput("OUT is a file; give a folder.")
        return target, ""
    if target.is_dir():
        return target, ""
    if isinstance(source, Path) and target.exists() and target.samefile(source):
        raise BadInput("OUT is IN. An original is never overwritten; give another name.")
    return target.parent, target.name


def _refuse_in_place(source: Path | S3Address, target: Path | S3Address, kind: str) -> None:
    if isinstance(source, S3Address) or isinstance(target, S3Address):
        if isinstance(source, S3Address) and isinstance(target, S3Address):
            _refuse_in_bucket(source, target, kind)
        return
    source, target = source.resolve(), target.resolve()
    if kind == "folder" and (target == source or source in target.parents):
        raise BadInput(
            "OUT is IN or inside it. Originals and outputs are kept apart; give a folder outside of IN."
        )
    if kind == "folder" and target in source.parents:
        raise BadInput("IN is inside OUT. Originals and outputs are kept apart; give another OUT.")


def _refuse_in_bucket(source: S3Address, target: S3Address, kind: str) -> None:
    if source.bucket != target.bucket:
        return
    ours, theirs = target.prefix, source.prefix
    if kind == "folder" and (ours.startswith(theirs) or theirs.startswith(ours)):
        raise BadInput(
            "IN and OUT are in one bucket and one of them is inside the other; give prefixes side by side."
        )
    if kind == "file" and ours == source.folder:
        raise BadInput("OUT is where IN is. Originals and outputs are kept apart; give another prefix.")


def _refuse_report_inside(report: Path | None, source: Path | S3Address) -> None:
    if report is None:
        return
    if report.is_dir() or not report.parent.is_dir():
        raise BadInput("--report is a file in a folder that exists.")
    if isinstance(source, Path) and source.is_dir() and source.resolve() in report.resolve().parents:
        raise BadInput("--report is inside IN; give a path outside of it.")
