"""What the documents print, by its heading in `examples.md` and `examples_aws.txt`, and how it is run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

_BLOCK = re.compile(
    r"^## (?P<name>.+?)\n\n```(?:python|bash|json)\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL
)
BLOCKS = {
    found["name"]: found["code"]
    for name in ("examples.md", "examples_aws.txt")
    for found in _BLOCK.finditer(Path(__file__).with_name(name).read_text(encoding="utf-8"))
}


def code_of(name: str, filled: Mapping[str, object] | None = None) -> str:
    """Return what is printed under a heading.

    `filled` says what stands for the absolute paths it names, which no test may write to, and for the parts
    that it leaves to its reader (`...`, `<presigned-url>`). Nothing else of it is changed.
    """
    code = BLOCKS[name]
    for printed, meant in (filled or {}).items():
        assert printed in code
        code = code.replace(printed, str(meant))
    return code


def run(name: str, names: dict[str, object], filled: Mapping[str, object] | None = None) -> dict[str, object]:
    """Execute an example as it is printed; return its names.

    `names` are those it takes for granted: its imports and what earlier examples made.
    """
    exec(compile(code_of(f"{name}: example", filled), name, "exec"), names)  # noqa: S102 - running the documents' own code is the test
    return names


def signatures() -> list[tuple[str, str]]:
    """Return every class and function block that is printed, with the class it belongs to."""
    return [
        (name.split(":")[0], code)
        for name, code in BLOCKS.items()
        if ": class" in name or ": methods" in name
    ]
