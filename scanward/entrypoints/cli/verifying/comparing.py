"""The difference of two objects, element by element."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from scanward.deidentify.report import path_text
from scanward.dicom.structure import Structure, check
from scanward.dicom.structure.prologue import prologue
from scanward.dicom.tokenizer import Attribute, walk

_PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_HASHED = 1 << 24


@dataclass(frozen=True, slots=True)
class Difference:
    """One element that is not the same: `what` is changed, removed or added."""

    path: str
    tag: int
    what: str
    before: bytes
    after: bytes


@dataclass(frozen=True, slots=True)
class Comparison:
    """All of it. `pixels`: identical, different, absent, or present in only one."""

    differences: tuple[Difference, ...]
    unchanged: int
    pixels: str

    def count(self, what: str) -> int:
        """Return how many elements were changed, removed or added."""
        return sum(one.what == what for one in self.differences)


@dataclass(frozen=True, slots=True)
class Loaded:
    """One object with its structure and its elements by path; meta elements included."""

    view: memoryview
    structure: Structure
    elements: Mapping[tuple[int, ...], bytes]

    @property
    def top(self) -> Mapping[int, bytes]:
        """Return the top-level elements by tag."""
        return {path[0]: value for path, value in self.elements.items() if len(path) == 1}


def loaded(view: memoryview) -> Loaded:
    """Read an object that may come from anywhere. Raises InvalidDicom."""
    structure = check(view)
    return Loaded(view, structure, dict(_elements(view, structure)))


def compared(original: Loaded, processed: Loaded) -> Comparison:
    """Compare two objects."""
    before, after = original.elements, processed.elements
    differences = []
    unchanged = 0
    for path in sorted(before.keys() | after.keys()):
        old, new = before.get(path), after.get(path)
        if old == new:
            unchanged += 1
        else:
            what = "removed" if new is None else "added" if old is None else "changed"
            differences.append(Difference(path_text(path), path[-1], what, old or b"", new or b""))
    return Comparison(tuple(differences), unchanged, _pixels(original, processed))


def _elements(view: memoryview, structure: Structure) -> Iterator[tuple[tuple[int, ...], bytes]]:
    for tag, element in prologue(view).meta.items():
        yield (tag,), _bare(bytes(view[element.value : element.stop]))
    for attribute in walk(view, structure):
        if not _is_container(attribute):
            yield attribute.path, _bare(bytes(attribute.value))


def _is_container(attribute: Attribute) -> bool:
    """Leave out sequences, whose elements come by themselves, and pixels, which are compared by hash."""
    return attribute.vr == "SQ" or (attribute.tag in _PIXELS and len(attribute.path) == 1)


def _bare(value: bytes) -> bytes:
    return value.rstrip(b"\0 ")


def _pixels(original: Loaded, processed: Loaded) -> str:
    one, other = _pixel_hash(original), _pixel_hash(processed)
    if one is None and other is None:
        return "absent"
    if one is None or other is None:
        return "only in one of them"
    return "identical" if one == other else "different"


def _pixel_hash(loaded_object: Loaded) -> str | None:
    structure = loaded_object.structure
    if structure.pixel_tag is None or structure.pixel_value is None or structure.pixel_end is None:
        return None
    body = structure.dataset_view(loaded_object.view)
    digest = sha256()
    for start in range(structure.pixel_value, structure.pixel_end, _HASHED):
        digest.update(body[start : min(start + _HASHED, structure.pixel_end)])
    return digest.hexdigest()
