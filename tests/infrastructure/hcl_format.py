"""Is a file written as `terraform fmt` writes it, as far as that is seen line by line?"""

from __future__ import annotations

import re
from collections.abc import Iterator

_ASSIGNMENT = re.compile(r'^( *)((?:[\w-]+|"[^"]*"|\([^)]*\))) *= (.*)$')
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')


def faults(name: str, text: str) -> Iterator[str]:
    """Yield where indentation, alignment or the end of a line is not the formatter's."""
    if text != text.rstrip("\n") + "\n":
        yield f"{name}: a file ends in one line break"
    depth = 0
    neighbours: list[tuple[int, str, int]] = []
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{name}:{number}"
        bare = "" if line.lstrip().startswith("#") else _STRINGS.sub('""', line).split(" #")[0]
        if line != line.rstrip() or "\t" in line:
            yield f"{where}: a blank at the end, or a tab"
        yield from _indented(where, line, depth - bool(re.match(r"\s*[\])}]", bare)))
        opened = sum(bare.count(sign) for sign in "([{") - sum(bare.count(sign) for sign in ")]}")
        depth += (opened > 0) - (opened < 0)
        assignment = _ASSIGNMENT.match(line)
        if assignment and opened == 0:
            before = f"{assignment[1]}{assignment[2]}"
            neighbours.append((number, before, line.index("=", len(before))))
        else:
            yield from _aligned(name, neighbours)
            neighbours = []
    yield from _aligned(name, neighbours)


def _indented(where: str, line: str, depth: int) -> Iterator[str]:
    blanks = len(line) - len(line.lstrip())
    # The branches of a condition on lines of their own are left where they are.
    if line.strip() and not line.lstrip().startswith(("?", ":")) and blanks != 2 * depth:
        yield f"{where}: indented by {blanks}, not by {2 * depth}"


def _aligned(name: str, neighbours: list[tuple[int, str, int]]) -> Iterator[str]:
    column = max((len(before) for _, before, _ in neighbours), default=0) + 1
    for number, _, found in neighbours:
        if found != column:
            yield f"{name}:{number}: = stands in column {found}, not in {column}"
