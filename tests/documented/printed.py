"""The Python that the documents print, by its heading in `examples.md`, and how it is run."""

from __future__ import annotations

import re
from pathlib import Path

_BLOCK = re.compile(r"^## (?P<name>.+?)\n\n```python\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = {
    found["name"]: found["code"]
    for found in _BLOCK.finditer(Path(__file__).with_name("examples.md").read_text(encoding="utf-8"))
}


def run(name: str, names: dict[str, object], paths: dict[str, Path] | None = None) -> dict[str, object]:
    """Execute an example as it is printed; return its names.

    `names` are those it takes for granted (its imports and what earlier examples made), `paths` what stands
    for the absolute paths it names, which no test may write to. Nothing else of it is changed.
    """
    code = BLOCKS[f"{name}: example"]
    for printed, path in (paths or {}).items():
        assert printed in code
        code = code.replace(printed, str(path))
    exec(compile(code, name, "exec"), names)  # noqa: S102 - running the documents' own code is the test
    return names


def signatures() -> list[tuple[str, str]]:
    """Return every class and function block that is printed, with the class it belongs to."""
    return [
        (name.split(":")[0], code)
        for name, code in BLOCKS.items()
        if ": class" in name or ": methods" in name
    ]
