"""What the code knows of itself, as Markdown: the folder tree and the settings."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from scanward.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
BESIDE = {
    "src": "the documented import paths (`from src.…`): re-exports, not in the wheel",
    "tests": "by stage; `ports` runs each port on every adapter, `faults` kills and cuts",
    "bench": "measured beside what one would use instead; figures in bench/README.md",
    "scripts": "set-up, the demo and these generated blocks",
    "docs": "architecture, API, user guide, deployment, compliance, decisions",
}
Block = Callable[[], str]


def _sentence(path: Path) -> str:
    """Return the first sentence of a module's docstring, on one line."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    paragraph = " ".join(text.split("\n\n", 1)[0].split())
    return paragraph.rstrip(".")


def _branches(folder: Path, depth: int) -> Iterator[tuple[str, str]]:
    indent = "  " * depth
    for module in sorted(folder.glob("*.py")):
        if module.name != "__init__.py" and depth == 1:
            yield f"{indent}{module.name}", _sentence(module)
    for package in sorted(path.parent for path in folder.glob("*/__init__.py")):
        yield f"{indent}{package.name}/", _sentence(package / "__init__.py")
        yield from _branches(package, depth + 1)


def tree() -> str:
    """Return the folders of the checkout with what each is, from the packages' docstrings."""
    lines = [("scanward/", ""), *_branches(ROOT / "scanward", 1)]
    lines += [(f"{name}/", what) for name, what in BESIDE.items()]
    width = max(len(name) for name, _ in lines) + 2
    return "\n".join(["```text", *(f"{name:<{width}}{what}".rstrip() for name, what in lines), "```"])


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)


def _default(name: str) -> str:
    field = Settings.model_fields[name]
    if field.default_factory is not None:
        made = field.get_default(call_default_factory=True, validated_data={})
        # A home folder is this machine's; the document says what it stands for.
        return str(made).replace(str(Path.home()), "~")
    return "" if field.default is None else str(field.default)


def settings() -> str:
    """Return every setting: variable, default and meaning."""
    rows = [
        (
            f"`SCANWARD_{name.upper()}`",
            f"`{_default(name)}`" if _default(name) else "",
            field.description or "",
        )
        for name, field in Settings.model_fields.items()
    ]
    return table(("setting", "default", "what it does"), rows)


BLOCKS: dict[str, Block] = {"tree": tree, "settings": settings}
