"""Terraform's variables as a table of docs/DEPLOYMENT.md; run as a module it rewrites the table."""

from __future__ import annotations

import json
from typing import Any

from tests.infrastructure.hcl_reading import ROOT, Configuration, read

DOCUMENT = ROOT / "docs" / "DEPLOYMENT.md"
START, END = "<!-- terraform variables -->\n", "<!-- end of terraform variables -->\n"


def table(configuration: Configuration) -> str:
    """Return the root module's variables with default and description."""
    rows = ["| variable | default | what it does |\n", "| --- | --- | --- |\n"]
    for name, body in configuration.modules["."].variables.items():
        rows.append(f"| `{name}` | {_shown(body.get('default'))} | {body['description']} |\n")
    return "".join(rows)


def written() -> str:
    """Return the table as the document has it."""
    text = DOCUMENT.read_text(encoding="utf-8")
    return text.split(START, 1)[1].split(END, 1)[0]


def _shown(value: Any) -> str:  # noqa: ANN401 - JSON of any shape
    return "" if value in (None, "", []) else f"`{value if isinstance(value, str) else json.dumps(value)}`"


if __name__ == "__main__":
    before, rest = DOCUMENT.read_text(encoding="utf-8").split(START, 1)
    DOCUMENT.write_text(before + START + table(read()) + END + rest.split(END, 1)[1], encoding="utf-8")
