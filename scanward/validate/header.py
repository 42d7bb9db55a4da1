"""What the rules remember of an object while they walk it, and the faults they find; both bounded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from scanward.dicom.structure import tag_text
from scanward.errors import Fault, Severity
from scanward.validate.dictionary import name_of
from scanward.validate.rulebook import rules

__all__ = ["Findings", "Header", "path_text"]

_MOST: Final = 500
_ATTRIBUTES: Final = 16_384
_PRIVATE: Final = 0x10000


@dataclass(slots=True)
class Header:
    """The standard attributes of the top level by tag, 256 bytes of each at most."""

    little_endian: bool
    values: dict[int, bytes] = field(default_factory=dict)

    def keep(self, tag: int, raw: bytes) -> None:
        """Remember an attribute; past 16,384, more than the standard has, only a hostile object goes on."""
        if not tag & _PRIVATE and len(self.values) < _ATTRIBUTES:
            self.values[tag] = raw

    def word(self, tag: int) -> int | None:
        """Return the first US value of a tag."""
        raw = self.values.get(tag, b"")
        return int.from_bytes(raw[:2], "little" if self.little_endian else "big") if len(raw) > 1 else None

    def text(self, tag: int) -> str:
        """Return the text of a tag that has only the default repertoire, without padding."""
        return self.values.get(tag, b"").decode("ascii", "replace").strip("\0 ")

    def number(self, tag: int, *, is_word: bool) -> int | None:
        """Return an integer of a US or an IS."""
        if is_word:
            return self.word(tag)
        try:
            return int(self.text(tag).split("\\")[0])
        except ValueError:
            return None


class Findings:
    """Faults in the order found; one that repeats in other items is told once, with their number."""

    __slots__ = ("_counts", "_more", "_places", "_severities")

    def __init__(self, severities: Mapping[str, Severity]) -> None:
        """Begin with none; `severities` has every rule's."""
        self._severities = severities
        self._places: dict[tuple[str, tuple[int, ...], str], tuple[int, ...]] = {}
        self._counts: dict[tuple[str, tuple[int, ...], str], int] = {}
        self._more = False

    @property
    def full(self) -> bool:
        """Tell whether more was found than is named; what harmless values hold then matters no longer."""
        return self._more

    def add(self, rule: str, path: tuple[int, ...], words: str) -> None:
        """Keep a fault; `words` go on from the attribute's name."""
        key = (rule, path[::2], words)
        count = self._counts.get(key)
        if count is not None:
            self._counts[key] = count + 1
        elif len(self._counts) < _MOST:
            self._counts[key] = 1
            self._places[key] = path
        else:
            self._more = True

    def faults(self) -> tuple[Fault, ...]:
        """Return every fault, with its rule's clause and severity."""
        found = [self._fault(key, path) for key, path in self._places.items()]
        if self._more:
            rule = rules()["faults-more"]
            found.append(Fault(rule.name, rule.sentence, severity=self._severities[rule.name]))
        return tuple(found)

    def _fault(self, key: tuple[str, tuple[int, ...], str], path: tuple[int, ...]) -> Fault:
        rule, tags, words = key
        others = self._counts[key] - 1
        more = f", and in {others} more place{'s' if others > 1 else ''}" if others else ""
        subject = f"{name_of(tags[-1])} " if tags else ""
        return Fault(
            rule,
            f"{subject}{words}{more}",
            path=path_text(path),
            clause=rules()[rule].clause,
            severity=self._severities[rule],
        )


def path_text(path: tuple[int, ...]) -> str:
    """Return a path of tags and item indices in turn as `(0008,1140)[0].(0008,1150)`."""
    return "".join(f"[{part}]." if index % 2 else tag_text(part) for index, part in enumerate(path))
