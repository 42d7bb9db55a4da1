"""Codecs of pixels, which crash, hang and eat memory: asked here, run where that harms nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from scanward.errors import ScanwardError


class Undecodable(ScanwardError):
    """A frame that no codec here can give in the wanted form; as stored it can still be had."""

    status = 406
    error = "Not acceptable"


@dataclass(frozen=True, slots=True)
class Image:
    """The attributes that say what samples mean (PS3.3 C.7.6.3.1); the codestream alone does not.

    photometric: Photometric Interpretation; planar: Planar Configuration, 1 is colour by plane; floating:
    the samples are Float or Double Float Pixel Data.
    """

    rows: int
    columns: int
    samples: int
    allocated: int
    stored: int
    signed: bool
    photometric: str
    planar: int = 0
    floating: bool = False

    @property
    def is_subsampled(self) -> bool:
        """Return whether native samples share their chroma in pairs (PS3.3 C.7.6.3.1.2)."""
        return self.samples == 3 and self.photometric in {"YBR_FULL_422", "YBR_PARTIAL_422"}  # noqa: PLR2004 - colours


@dataclass(frozen=True, slots=True)
class Recode:
    """One frame in another transfer syntax. frame: its bytes, little endian where they are native."""

    frame: bytes
    source: str
    image: Image
    target: str


@dataclass(frozen=True, slots=True)
class Window:
    """How stored values become grey (PS3.3 C.11). function: LINEAR, LINEAR_EXACT or SIGMOID."""

    center: float
    width: float
    function: str = "LINEAR"


@dataclass(frozen=True, slots=True)
class Table:
    """A look-up table (PS3.3 C.11.1.1). first: its first entry's value; entries: 16 bits, little endian."""

    first: int
    bits: int
    entries: bytes


@dataclass(frozen=True, slots=True)
class Viewport:
    """The size that a picture is made to fit into, and what of it is shown (PS3.18 8.3.5.1.3).

    A source size of 0 reaches to the edge; a negative one flips. Nothing is enlarged where `only_smaller`.
    """

    width: int
    height: int
    left: float = 0
    top: float = 0
    source_width: float = 0
    source_height: float = 0
    only_smaller: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """How frames become a picture.

    media_type: image/jpeg, image/png or image/gif; padding: stored values that are no tissue; inverse: the
    lowest value is white; delay: between a GIF's frames, in milliseconds; profile: embed an ICC profile.
    """

    media_type: str
    quality: int = 90
    slope: float = 1.0
    intercept: float = 0.0
    modality: Table | None = None
    window: Window | None = None
    voi: Table | None = None
    padding: tuple[int, int] | None = None
    palette: tuple[Table, Table, Table] | None = None
    inverse: bool = False
    viewport: Viewport | None = None
    delay: int = 100
    profile: bool = False


@dataclass(frozen=True, slots=True)
class Render:
    """Frames of one object as one picture; several only as a GIF."""

    frames: tuple[bytes, ...]
    source: str
    image: Image
    look: Look


class Decoder(Protocol):
    """Runs codecs with bounds on time, processor and memory."""

    def run(self, task: Recode | Render) -> bytes:
        """Return what a task makes. Raises Undecodable, also where a bound was passed."""
        ...

    def close(self) -> None:
        """End what runs."""
        ...
