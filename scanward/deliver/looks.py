"""How an object wants to be shown: its tables, windows, palette and pace (PS3.3 C.11, C.7.6.3, C.7.6.16)."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from scanward.deliver.pixels import header_of
from scanward.ports.decoder import Image, Look, Table, Undecodable, Viewport, Window

_HALF: Final = 1 << 15
_ENTRIES: Final = 1 << 16
_BYTE: Final = 8
_COLOURS: Final = ("Red", "Green", "Blue")
_TRANSFORMS: Final = ("PixelValueTransformationSequence", "FrameVOILUTSequence")
_HEADER: Final = [
    "PixelRepresentation",
    "RescaleSlope",
    "RescaleIntercept",
    "ModalityLUTSequence",
    "WindowCenter",
    "WindowWidth",
    "VOILUTFunction",
    "VOILUTSequence",
    "PresentationLUTShape",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "FrameTime",
    "CineRate",
    "RecommendedDisplayFrameRate",
    "RepresentativeFrameNumber",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    *(f"{colour}PaletteColorLookupTable{what}" for colour in _COLOURS for what in ("Descriptor", "Data")),
]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client asks of a picture; what it leaves open is the object's own."""

    media_type: str
    quality: int = 90
    window: Window | None = None
    viewport: Viewport | None = None
    profile: bool = False


def looks_of(view: memoryview) -> Dataset:
    """Return the attributes of an object that say how it is shown."""
    return header_of(view, _HEADER)


def representative(header: Dataset, count: int) -> int:
    """Return the frame, from 0, that stands for all (PS3.3 C.7.6.16)."""
    number = header.get("RepresentativeFrameNumber")
    return number - 1 if isinstance(number, int) and 1 <= number <= count else 0


def look_of(header: Dataset, image: Image, frame: int, wanted: Wanted) -> Look:
    """Return how a frame is shown. Raises Undecodable for tables that cannot be read."""
    sources = _sources(header, frame)
    padding = _padding(header, image)
    return Look(
        wanted.media_type,
        quality=wanted.quality,
        slope=_number(sources, "RescaleSlope", 1.0),
        intercept=_number(sources, "RescaleIntercept", 0.0),
        modality=_table_of(header, "ModalityLUTSequence", image),
        window=wanted.window or _window(sources),
        voi=_table_of(header, "VOILUTSequence", image),
        padding=padding,
        palette=_palette(header, image) if image.photometric == "PALETTE COLOR" else None,
        inverse=_is_inverse(header, image),
        viewport=wanted.viewport,
        delay=_delay(header),
        profile=wanted.profile,
    )


def _sources(header: Dataset, frame: int) -> list[Dataset]:
    """Return where values may stand: the frame's own groups, the shared ones, the top (PS3.3 C.7.6.16)."""
    own = header.get("PerFrameFunctionalGroupsSequence") or []
    shared = header.get("SharedFunctionalGroupsSequence") or []
    groups = [*own[frame : frame + 1], *shared[:1]]
    inner = [item for group in groups for name in _TRANSFORMS for item in (group.get(name) or [])[:1]]
    return [*inner, header]


def _first(value: object) -> object:
    if isinstance(value, MultiValue | list | tuple):
        return value[0] if len(value) else None
    return value


def _number(sources: Sequence[Dataset], keyword: str, default: float) -> float:
    for source in sources:
        try:
            return float(str(_first(source[keyword].value))) if keyword in source else default
        except ValueError:
            return default
    return default


def _window(sources: Sequence[Dataset]) -> Window | None:
    """Return the first window that is told."""
    for source in sources:
        if "WindowCenter" in source and "WindowWidth" in source:
            center, width = (_number([source], name, 0.0) for name in ("WindowCenter", "WindowWidth"))
            function = str(source.get("VOILUTFunction") or "LINEAR")
            return Window(center, width, function) if width > 0 else None
    return None


def _padding(header: Dataset, image: Image) -> tuple[int, int] | None:
    """Return the stored values that are padding (PS3.3 C.7.5.1.1.2)."""
    one, other = header.get("PixelPaddingValue"), header.get("PixelPaddingRangeLimit")
    if not isinstance(one, int):
        return None
    ends = [_signed(end, image) for end in (one, other if isinstance(other, int) else one)]
    return min(ends), max(ends)


def _signed(value: int, image: Image) -> int:
    return value - _ENTRIES if image.signed and value >= _HALF else value


def _is_inverse(header: Dataset, image: Image) -> bool:
    """Return whether low values are white; a shape that is told stands above the photometric one."""
    shape = str(header.get("PresentationLUTShape") or "")
    if image.photometric == "MONOCHROME1":
        return shape != "IDENTITY"
    return shape == "INVERSE"


def _table_of(header: Dataset, keyword: str, image: Image) -> Table | None:
    items = header.get(keyword)
    if not items or "LUTDescriptor" not in items[0] or "LUTData" not in items[0]:
        return None
    little = header.original_encoding[1] is not False
    return _table(items[0]["LUTDescriptor"].value, items[0]["LUTData"].value, image, little_endian=little)


def _table(descriptor: object, values: object, image: Image, *, little_endian: bool) -> Table:
    """Read a look-up table. Raises Undecodable."""
    if not isinstance(descriptor, MultiValue | list) or len(descriptor) != len(_COLOURS):
        raise Undecodable("A look-up table's descriptor cannot be read.")
    count, first, bits = (int(one) for one in descriptor)
    count = count or _ENTRIES
    if isinstance(values, bytes):
        entries = _words(values, count, little_endian=little_endian)
    else:
        entries = list(values) if isinstance(values, MultiValue | list) else []
    if not entries or not 1 <= bits <= _BYTE * 2 or not all(0 <= one < _ENTRIES for one in entries):
        raise Undecodable("A look-up table cannot be read.")
    entries = entries[:count]
    # Some write 16 and mean 8.
    bits = _BYTE if bits == 2 * _BYTE and max(entries) < 1 << _BYTE else bits
    return Table(_signed(first, image), bits, struct.pack(f"<{len(entries)}H", *entries))


def _words(values: bytes, count: int, *, little_endian: bool) -> list[int]:
    if len(values) in {count, count + 1}:
        return list(values)
    words = array("H", values[: len(values) // 2 * 2])
    if (struct.pack("=H", 1) == b"\1\0") != little_endian:
        words.byteswap()
    return words.tolist()


def _palette(header: Dataset, image: Image) -> tuple[Table, Table, Table]:
    """Return red, green and blue (PS3.3 C.7.6.3.1.5). Raises Undecodable without them."""
    little = header.original_encoding[1] is not False
    found = []
    for colour in _COLOURS:
        name = f"{colour}PaletteColorLookupTable"
        if f"{name}Descriptor" not in header or f"{name}Data" not in header:
            raise Undecodable("The palette is segmented or missing.")
        descriptor, values = header[f"{name}Descriptor"].value, header[f"{name}Data"].value
        found.append(_table(descriptor, values, image, little_endian=little))
    return found[0], found[1], found[2]


def _delay(header: Dataset) -> int:
    """Return milliseconds between frames (PS3.3 C.7.6.5)."""
    if "FrameTime" in header:
        told = _number([header], "FrameTime", 0.0)
    else:
        rates = [_number([header], name, 0.0) for name in ("RecommendedDisplayFrameRate", "CineRate")]
        rate = next((one for one in rates if one > 0), 0.0)
        told = 1000 / rate if rate else 0.0
    return round(told) if 10 <= told <= 10_000 else 100  # noqa: PLR2004 - what browsers show
