"""Frames as pictures that any program shows (PS3.18 8.3.5, 10.4.1.1.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from scanward.deliver.looks import Wanted, look_of, looks_of, representative
from scanward.deliver.pixels import check_given, frame_of
from scanward.deliver.transcode import Frames
from scanward.ports.decoder import Image, Render, Undecodable
from scanward.ports.object_store import Zone
from scanward.ports.search import Entry

_MOST_BYTES: Final = 256 << 20
_BYTE: Final = 8


def picture(frames: Frames, zone: Zone, entry: Entry, indices: Sequence[int] | None, wanted: Wanted) -> bytes:
    """Return frames as one picture; None is the frame that stands for all, or all of them in a film.

    Raises NotFound or Undecodable.
    """
    key = (zone, entry.key, None if indices is None else tuple(indices), wanted)
    found = frames.remembered.get(key)
    if found is None:
        found = frames.decoder.run(_task(frames, zone, entry, indices, wanted))
        frames.remembered.put(key, found)
    return found


def _task(frames: Frames, zone: Zone, entry: Entry, indices: Sequence[int] | None, wanted: Wanted) -> Render:
    pixels = frames.pixels(zone, entry)
    check_given(pixels)
    with frames.objects.open(zone, entry.key) as opened:
        header = looks_of(opened.view)
        if indices is None:
            is_film = wanted.media_type == "image/gif"
            indices = range(pixels.table.count) if is_film else [representative(header, pixels.table.count)]
        _check_size(pixels.image, len(indices))
        look = look_of(header, pixels.image, indices[0], wanted)
        bodies = tuple(frame_of(opened.view, pixels, index) for index in indices)
    return Render(bodies, pixels.syntax, pixels.image, look)


def _check_size(image: Image, count: int) -> None:
    """Bound what a film holds in memory, here and where it is made. Raises Undecodable."""
    size = image.rows * image.columns * image.samples * max(image.allocated // _BYTE, 1)
    if count > 1 and size * count > _MOST_BYTES:
        raise Undecodable("The frames are too many or too large for one picture; ask for some of them.")
