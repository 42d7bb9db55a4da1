"""What the code knows of itself, as Markdown: folders, commands, settings, routes and the tables of rules."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from scanward.deidentify import markers, pixels, profile
from scanward.deidentify.table import DATA
from scanward.entrypoints import http
from scanward.entrypoints.aws_lambda import metrics as aws_metrics
from scanward.entrypoints.cli.app import command
from scanward.entrypoints.http.policy import POLICIES
from scanward.settings import AwsSettings, Phase1Settings, Settings
from scanward.validate import rulebook
from scripts import cost_tables

ROOT = Path(__file__).resolve().parent.parent
BESIDE = {
    "src": "the documented import paths (`from src.…`): re-exports, not in the wheel",
    "lambda_functions": "entry points of the functions on AWS, one line each",
    "phase1_ingestion": "upload into AWS HealthImaging: template and two functions",
    "state_machines": "the line, the backfill and the import monitor for Step Functions",
    "policies": "what each role, bucket, key, queue and topic on AWS allows; both ways of deployment read it",
    "terraform": "the stacks as modules, with scripts to build the layer, deploy and destroy",
    "cloudformation": "the same resources as a template, rendered from policies and state machines",
    "tools": "locked requirements of the emulator, the checkers and AWS's command line",
    "tests": "by stage; `ports` runs each port on every adapter, `faults` kills and cuts",
    "bench": "measured beside what one would use instead; figures in bench/README.md",
    "scripts": "set-up, the demo and these generated blocks",
    "docs": "architecture, API, user guide, deployment, compliance, decisions",
}
Block = Callable[[], str]


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _first_paragraph(text: str) -> str:
    return " ".join(text.split("\n\n", 1)[0].split()).rstrip(".")


def _said_of(path: Path) -> str:
    """Return the first paragraph of a module's docstring, on one line."""
    return _first_paragraph(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "")


def _branches(folder: Path, depth: int) -> Iterator[tuple[str, str]]:
    indent = "  " * depth
    for module in sorted(folder.glob("*.py")):
        if module.name != "__init__.py" and depth == 1:
            yield f"{indent}{module.name}", _said_of(module)
    for package in sorted(path.parent for path in folder.glob("*/__init__.py")):
        yield f"{indent}{package.name}/", _said_of(package / "__init__.py")
        yield from _branches(package, depth + 1)


def tree() -> str:
    """Return the folders of the checkout with what each is, from the packages' docstrings."""
    lines = [("scanward/", ""), *_branches(ROOT / "scanward", 1)]
    lines += [(f"{name}/", what) for name, what in BESIDE.items()]
    width = max(len(name) for name, _ in lines) + 2
    return "\n".join(["```text", *(f"{name:<{width}}{what}".rstrip() for name, what in lines), "```"])


def _commands() -> Iterator[tuple[str, Any]]:
    """Yield every command that does something, by its whole name."""

    def below(name: str, found: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - Typer's own class is private
        parts = getattr(found, "commands", None)
        if parts is None:
            yield name, found
            return
        for part in sorted(parts):
            yield from below(f"{name} {part}", parts[part])

    yield from below("scanward", command())


def _parameters(found: Any, kind: str) -> list[Any]:  # noqa: ANN401 - as above
    return [one for one in found.params if one.param_type_name == kind and one.name != "help"]


def _usage(name: str, found: Any) -> str:  # noqa: ANN401 - as above
    arguments = [one.metavar or one.name.upper() for one in _parameters(found, "argument")]
    return " ".join([name, *arguments])


def commands() -> str:
    """Return every command with what it does."""
    rows = [(f"`{_usage(name, found)}`", _first_paragraph(found.help or "")) for name, found in _commands()]
    return table(("command", "what it does"), rows)


def _option(one: Any) -> tuple[str, str]:  # noqa: ANN401 - as above
    kind = one.type_descriptor.annotation
    choices = "|".join(kind) if isinstance(kind, type) and issubclass(kind, StrEnum) else ""
    value = one.metavar or choices or getattr(kind, "__name__", "text").replace("str", "text").upper()
    spelled = ", ".join(one.opts) if one.is_flag else f"{', '.join(one.opts)} {value}"
    return f"`{spelled}`", " ".join((one.help or "").replace("\\[", "[").split())


def options() -> str:
    """Return every command's arguments and options."""
    parts = []
    for name, found in _commands():
        rows = [
            (f"`{one.metavar or one.name.upper()}`", one.help or "") for one in _parameters(found, "argument")
        ]
        rows += [_option(one) for one in _parameters(found, "option")]
        head = [f"#### `{_usage(name, found)}`", "", _first_paragraph(found.help or "") + "."]
        parts.append("\n".join([*head, *(["", table(("option", "what it does"), rows)] if rows else [])]))
    return "\n\n".join(parts)


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        made = field.get_default(call_default_factory=True, validated_data={})
        # A home folder is this machine's; the document says what it stands for.
        return str(made).replace(str(Path.home()), "~")
    return "" if field.default is None else str(field.default)


def _settings(model: type[BaseSettings]) -> str:
    prefix = model.model_config.get("env_prefix", "")
    rows = [
        (
            f"`{prefix}{name.upper()}`",
            f"`{_default(field)}`" if _default(field) else "",
            field.description or "",
        )
        for name, field in model.model_fields.items()
    ]
    return table(("setting", "default", "what it does"), rows)


def settings() -> str:
    """Return every setting of one machine: variable, default and meaning."""
    return _settings(Settings)


def settings_aws() -> str:
    """Return the settings of the pipeline on AWS."""
    return _settings(AwsSettings)


def settings_phase1() -> str:
    """Return the settings of Phase 1's functions."""
    return _settings(Phase1Settings)


def profiles() -> str:
    """Return the shipped profiles: what each does with dates, ages, names, and which options it takes."""
    rows = []
    for name in sorted(path.stem for path in Path(str(DATA / "profiles")).glob("*.yaml")):
        one = profile.load(name)
        switched = [
            key for key, value in one.model_dump().items() if value is True and key not in {"name", "title"}
        ]
        codes = ", ".join(markers.codes(one))
        what = ", ".join(key.replace("_", " ") for key in switched)
        rows.append((f"`{name}`", one.title, one.dates, one.ages, one.patient_name, what, codes))
    head = (
        "profile",
        "what it is",
        "dates",
        "ages",
        "patient's name",
        "options of PS3.15 E.3",
        "method codes",
    )
    return table(head, rows)


def _routes() -> Iterator[tuple[str, str, str]]:
    for module in pkgutil.iter_modules(http.__path__):
        router: Any = getattr(importlib.import_module(f"{http.__name__}.{module.name}"), "router", None)
        if isinstance(router, APIRouter):
            for route in router.routes:
                for method in sorted(getattr(route, "methods", ())):
                    yield str(getattr(route, "path", "")), method, str(getattr(route, "summary", "") or "")


def routes() -> str:
    """Return every route with what it asks of its caller."""
    asked = {"open": "nothing", "signed": "the link itself", "token": "the start-up token"}
    rows = [
        (f"`{method} {path}`", what, asked[POLICIES[path].value])
        for path, method, what in sorted([*_routes(), ("/openapi.json", "GET", "The API's description")])
    ]
    return table(("route", "what it does", "what it asks for"), rows)


def rules() -> str:
    """Return the validation rules with their default severity."""
    rows = [(f"`{one.name}`", one.severity, one.sentence, one.clause) for one in rulebook.rules().values()]
    return table(("rule", "by default", "what it says", "clause"), rows)


def risks() -> str:
    """Return which objects cannot be cleaned yet and are quarantined, in the order of the table."""
    rows = [(f"`{one.id}`", "quarantine" if one.quarantines else "pass", one.says) for one in pixels.risks()]
    return table(("rule", "outcome", "why"), rows)


def errors() -> str:
    """Return the tree of errors, as `scanward.errors` draws it."""
    text = ast.get_docstring(ast.parse((ROOT / "scanward" / "errors.py").read_text(encoding="utf-8"))) or ""
    drawn = [line for line in text.splitlines() if line.startswith("  ")]
    return "\n".join(["```text", *(line[2:] for line in drawn), "```"])


def metrics() -> str:
    """Return the metrics that the Lambda functions write."""
    rows = [(f"`{name}`", unit, what) for name, (unit, what) in aws_metrics.DESCRIBED.items()]
    return table(("metric", "unit", "what it counts"), rows)


BLOCKS: dict[str, Block] = {
    "tree": tree,
    "commands": commands,
    "options": options,
    "settings": settings,
    "settings-aws": settings_aws,
    "settings-phase1": settings_phase1,
    "profiles": profiles,
    "routes": routes,
    "rules": rules,
    "risks": risks,
    "errors": errors,
    "metrics": metrics,
    **cost_tables.blocks(table),
}
