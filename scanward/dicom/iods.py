"""Which attributes an information object has, of which type, by module (PS3.3, tables under `data/`).

The tables hold attributes down to one sequence level; what lies deeper has no known type.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, cast

__all__ = ["Module", "attribute_type", "is_image", "is_known", "modules"]

Usage = Literal["M", "C", "U"]
Types = MappingProxyType[tuple[int, ...], str]

_TABLES: Final = Path(__file__).with_name("data")
_STRICTNESS: Final = {"1": 0, "1C": 1, "2": 2, "2C": 3, "3": 4}
_SHARED_GROUPS: Final = 0x52009229
_FRAME_GROUPS: Final = 0x52009230
_REPEATS: Final = 0xFF010000
_REPETITION: Final = 0x00FE0000
_OVERLAYS: Final = 0x60000000
_OTHER_GROUPS: Final = {_SHARED_GROUPS: _FRAME_GROUPS, _FRAME_GROUPS: _SHARED_GROUPS}
# Every composite object of a patient has these (PS3.3 A.1.2): all that is known of a class no table names.
_COMMON: Final = ("patient", "general-study", "general-series", "general-equipment", "sop-common")


@dataclass(frozen=True, slots=True)
class Module:
    """A module of an IOD: its usage (M, C or U; PS3.3 A.1.3) and its attributes' types by path of tags."""

    name: str
    usage: Usage
    types: Types


def modules(sop_class_uid: str) -> tuple[Module, ...]:
    """Return the modules of a SOP class in the order of PS3.3; the common ones for a class not known."""
    return _modules(_iods_of_classes().get(sop_class_uid, ""))


def attribute_type(sop_class_uid: str, path: tuple[int, ...]) -> str:
    """Return an attribute's type, "1", "1C", "2", "2C" or "3", or "" where the tables do not tell.

    The path is the tags from the top level down, without item indices. The strictest type counts over the
    mandatory and conditional modules of the SOP class; only if none of them has the attribute, that over the
    user optional ones. Repeating overlay groups count as the first; a functional group's macro has one type,
    shared or per frame.
    """
    types = _types(_iods_of_classes().get(sop_class_uid, ""))
    found = types.get(path)
    if found is not None or not path:
        return found or ""
    first = path[0]
    if first & _REPEATS == _OVERLAYS:
        first &= ~_REPETITION
    return types.get((_OTHER_GROUPS.get(first, first), *path[1:]), "")


def is_known(sop_class_uid: str) -> bool:
    """Tell whether the tables have the SOP class."""
    return sop_class_uid in _iods_of_classes()


def is_image(sop_class_uid: str) -> bool:
    """Tell whether every object of the SOP class has pixels: an Image Pixel module of any kind, always.

    RT Dose is none: its grid is conditional (PS3.3 A.18.3). A Parametric Map is: it has one kind or another.
    """
    return _is_image(_iods_of_classes().get(sop_class_uid, ""))


@lru_cache(maxsize=256)
def _is_image(iod: str) -> bool:
    kinds = [module.usage for module in _modules(iod) if module.name.endswith("image-pixel")]
    return "M" in kinds or len(kinds) > 1


@lru_cache(maxsize=256)
def _types(iod: str) -> Types:
    required: dict[tuple[int, ...], str] = {}
    optional: dict[tuple[int, ...], str] = {}
    for module in _modules(iod):
        target = optional if module.usage == "U" else required
        for path, kind in module.types.items():
            held = target.get(path)
            if held is None or _STRICTNESS[kind] < _STRICTNESS[held]:
                target[path] = kind
    return MappingProxyType(optional | required)


@lru_cache(maxsize=256)
def _modules(iod: str) -> tuple[Module, ...]:
    row = _rows("iods.csv").get(iod, "")
    usages = dict(entry.split("=") for entry in row.split()) if row else dict.fromkeys(_COMMON, "M")
    return tuple(Module(name, cast("Usage", usage), _module_types(name)) for name, usage in usages.items())


@lru_cache(maxsize=512)
def _module_types(name: str) -> Types:
    types = {}
    for entry in _rows("modules.csv").get(name, "").split():
        path, _, kind = entry.partition("=")
        types[tuple(int(tag, 16) for tag in path.split("."))] = kind
    return MappingProxyType(types)


def _iods_of_classes() -> dict[str, str]:
    return _rows("sop_classes.csv")


@lru_cache(maxsize=4)
def _rows(name: str) -> dict[str, str]:
    lines = (_TABLES / name).read_text(encoding="ascii").splitlines()
    return dict(line.split(",", 1) for line in lines[1:])
