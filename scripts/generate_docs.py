"""Rewrite the generated blocks of README.md and docs/, or with --check say which are stale.

A block stands between `<!-- generated: NAME -->` and `<!-- end -->`; `scripts.blocks` knows its content.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from scripts.blocks import BLOCKS

ROOT = Path(__file__).resolve().parent.parent
_BLOCK = re.compile(r"(<!-- generated: (?P<name>[\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def documents() -> Iterator[Path]:
    """Yield every document that may hold a generated block."""
    yield ROOT / "README.md"
    yield from sorted((ROOT / "docs").rglob("*.md"))


def renewed(text: str) -> str:
    """Return a document's text with every generated block as the code has it now. Raises KeyError."""
    return _BLOCK.sub(lambda match: f"{match[1]}{BLOCKS[match['name']]()}\n{match[3]}", text)


def main(arguments: list[str]) -> int:
    """Rewrite stale documents, or with --check only name them; 1 if any was stale."""
    stale = 0
    for path in documents():
        text = path.read_text(encoding="utf-8")
        fresh = renewed(text)
        if fresh == text:
            continue
        if "--check" in arguments:
            print(f"{path.relative_to(ROOT)}: a generated block is stale; run `make docs`")
            stale = 1
        else:
            path.write_text(fresh, encoding="utf-8")
            print(f"{path.relative_to(ROOT)}: rewritten")
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
