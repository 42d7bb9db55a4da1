"""Collects what is wrong with one object, so that it is told all at once."""

from __future__ import annotations

from scanward.dicom.structure.rules import RULES
from scanward.errors import Fault, InvalidDicom

_PER_RULE = 20
_REJECTS = 100


class Findings:
    """Faults in the order found; the first 20 of each rule, so that a million cost nothing."""

    __slots__ = ("_counts", "_kept")

    def __init__(self, faults: tuple[Fault, ...] = ()) -> None:
        """Begin with faults found before."""
        self._kept: list[Fault] = list(faults)
        self._counts: dict[str, int] = {}

    def __len__(self) -> int:
        """Return how many faults are kept."""
        return len(self._kept)

    def takes(self, rule: str) -> bool:
        """Return whether one more fault of the rule would be kept; if not, it is counted."""
        count = self._counts.get(rule, 0)
        if count < _PER_RULE:
            return True
        self._counts[rule] = count + 1
        return False

    @property
    def is_hopeless(self) -> bool:
        """Return whether so much is wrong that reading on tells nothing more."""
        return any(
            count > _REJECTS and RULES[rule].severity == "reject" for rule, count in self._counts.items()
        )

    def add(self, rule: str, offset: int | None = None, path: str = "", **fields: object) -> None:
        """Keep a broken rule; `fields` fill its sentence and are never a patient's value."""
        count = self._counts.get(rule, 0) + 1
        self._counts[rule] = count
        if count <= _PER_RULE:
            self._kept.append(fault(rule, offset, path, **fields))

    def forget(self, mark: int) -> None:
        """Drop what was kept after `mark` (a length): it was found where nothing was promised."""
        for dropped in self._kept[mark:]:
            self._counts[dropped.rule] -= 1
        del self._kept[mark:]

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """Return the faults that do not refuse."""
        return tuple(kept for kept in self._kept if kept.severity == "warn")

    def raise_rejected(self) -> None:
        """Raise InvalidDicom with every fault if one of them refuses the object."""
        rejects = [kept for kept in self._kept if kept.severity == "reject"]
        if rejects:
            more = f" (and {len(rejects) - 1} more)" if len(rejects) > 1 else ""
            raise InvalidDicom(f"{rejects[0].message}{more}", faults=tuple(self._kept))


def fault(rule: str, offset: int | None = None, path: str = "", **fields: object) -> Fault:
    """Return the fault of a broken rule."""
    message, clause, severity = RULES[rule]
    return Fault(rule, message.format(**fields), path, offset, clause, severity)


def refuse(rule: str, offset: int | None = None, path: str = "", **fields: object) -> InvalidDicom:
    """Return the error of one fault behind which nothing can be read."""
    found = fault(rule, offset, path, **fields)
    return InvalidDicom(found.message, faults=(found,))
