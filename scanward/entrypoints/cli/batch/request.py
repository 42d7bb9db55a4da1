"""What a person asked of `scanward deidentify`, checked before anything is read or written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from scanward.deidentify.secret import fingerprint, load_or_create
from scanward.entrypoints.cli.batch.plan import Plan
from scanward.entrypoints.cli.batch.sources import Shard
from scanward.errors import BadInput
from scanward.receive.archive import is_zip
from scanward.settings import NamePolicy, Settings

_HEAD = 132
_SHARD = re.compile(r"^(\d+)/(\d+)$")


@dataclass(frozen=True, slots=True)
class Request:
    """The command's arguments."""

    source: Path
    target: Path
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
    if not source.exists():
        raise BadInput("IN does not exist.")
    kind = "folder" if source.is_dir() else _file_kind(source)
    only = source.name if kind == "file" else ""
    folder, output_name = _output(source, target, kind)
    _refuse_in_place(source.resolve(), folder.resolve(), kind)
    _refuse_report_inside(request.report, source)
    secret = load_or_create(request.settings.key_file)
    return Plan(
        source=str(source.resolve().parent if only else source.resolve()),
        target=str(folder.resolve()),
        settings=request.settings,
        fingerprint=fingerprint(secret),
        names=request.names,
        only=source.resolve().name if only else "",
        output_name=output_name,
        dry=request.dry,
        rows=request.rows or request.report is not None,
        force=request.force,
    )


def _file_kind(source: Path) -> str:
    if not source.is_file():
        raise BadInput("IN is neither a folder nor a file.")
    try:
        with source.open("rb") as file:
            return "zip" if is_zip(file.read(_HEAD)) else "file"
    except OSError:
        raise BadInput("IN cannot be read.") from None


def _output(source: Path, target: Path, kind: str) -> tuple[Path, str]:
    """Return the output's folder, and its name if IN is one file and OUT is no folder."""
    if kind != "file":
        if target.exists() and not target.is_dir():
            raise BadInput("OUT is a file; give a folder.")
        return target, ""
    if target.is_dir():
        return target, ""
    if target.exists() and target.samefile(source):
        raise BadInput("OUT is IN. An original is never overwritten; give another name.")
    return target.parent, target.name


def _refuse_in_place(source: Path, target: Path, kind: str) -> None:
    if kind == "folder" and (target == source or source in target.parents):
        raise BadInput(
            "OUT is IN or inside it. Originals and outputs are kept apart; give a folder outside of IN."
        )
    if kind == "folder" and target in source.parents:
        raise BadInput("IN is inside OUT. Originals and outputs are kept apart; give another OUT.")


def _refuse_report_inside(report: Path | None, source: Path) -> None:
    if report is None:
        return
    if report.is_dir() or not report.parent.is_dir():
        raise BadInput("--report is a file in a folder that exists.")
    if source.is_dir() and source.resolve() in report.resolve().parents:
        raise BadInput("--report is inside IN; give a path outside of it.")
