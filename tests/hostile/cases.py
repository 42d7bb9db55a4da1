"""One case of bad input, and how its makers state what shall come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Build = Callable[[Path], Path]


@dataclass(frozen=True)
class Case:
    """`expected`: accepted | warned | rejected; `rule` is among the gate's faults ("" if accepted).

    `build` makes the input in an empty folder and returns its path; the input folder of a run is that folder.
    """

    name: str
    build: Build
    expected: str
    rule: str = ""

    def __str__(self) -> str:
        """Return the name, for pytest's ids."""
        return self.name


def file(name: str, make: Callable[[], bytes], expected: str, rule: str = "") -> Case:
    """Return a case of one file whose bytes are made when it is built."""

    def build(folder: Path) -> Path:
        path = folder / f"{name}.dcm"
        path.write_bytes(make())
        return path

    return Case(name, build, expected, rule)


def rejected(name: str, rule: str, make: Callable[[], bytes]) -> Case:
    """Return a file that is refused by `rule`."""
    return file(name, make, "rejected", rule)


def warned(name: str, rule: str, make: Callable[[], bytes]) -> Case:
    """Return a file that is taken with a warning."""
    return file(name, make, "warned", rule)


def accepted(name: str, make: Callable[[], bytes]) -> Case:
    """Return a file that is taken without a word."""
    return file(name, make, "accepted")
