"""Frames in the transfer syntax that a client asks for, remembered for a while (PS3.18 8.7.3)."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

from scanward.deliver.pixels import Pixels, check_given, frame_of, pixels_of
from scanward.dicom.structure.syntaxes import EXPLICIT_LITTLE_ENDIAN
from scanward.ports.decoder import Decoder, Recode, Undecodable
from scanward.ports.object_store import ObjectStore, Zone
from scanward.ports.search import Entry

JPEG_LOSSLESS: Final = "1.2.840.10008.1.2.4.70"
JPEG_LS: Final = "1.2.840.10008.1.2.4.80"
JPEG_2000: Final = "1.2.840.10008.1.2.4.90"
HTJ2K: Final = "1.2.840.10008.1.2.4.201"
RLE: Final = "1.2.840.10008.1.2.5"
TARGETS: Final = (EXPLICIT_LITTLE_ENDIAN, JPEG_LOSSLESS, JPEG_LS, JPEG_2000, HTJ2K, RLE)
"""What frames can be given in beside their own transfer syntax: nothing is lost in any of them."""
AS_STORED: Final = "*"
_IMAGES: Final = 1024


class Remembered:
    """The latest results, at most so many bytes; keys hold an object's key, which names its content."""

    def __init__(self, most_bytes: int) -> None:
        """Remember nothing yet."""
        self._most = most_bytes
        self._held = 0
        self._results: OrderedDict[tuple[object, ...], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[object, ...]) -> bytes | None:
        """Return a result that is still there."""
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
            return self._results.get(key)

    def put(self, key: tuple[object, ...], result: bytes) -> None:
        """Remember a result, and forget the oldest ones for it; one that is half of all is not worth it."""
        if len(result) > self._most // 2:
            return
        with self._lock:
            self._held += len(result) - len(self._results.pop(key, b""))
            self._results[key] = result
            while self._held > self._most:
                self._held -= len(self._results.popitem(last=False)[1])


class Frames:
    """Frames of kept objects, in any form that can be made."""

    def __init__(self, objects: ObjectStore, decoder: Decoder, *, remember: int = 64 << 20) -> None:
        """Keep what is needed; `remember`: bytes of results."""
        self.objects = objects
        self.decoder = decoder
        self.remembered = Remembered(remember)
        self._pixels: OrderedDict[tuple[Zone, str], Pixels] = OrderedDict()
        self._lock = threading.Lock()

    def pixels(self, zone: Zone, entry: Entry) -> Pixels:
        """Return what an object's pixels are. Raises NotFound if it has no frames."""
        key = zone, entry.key
        with self._lock:
            if key in self._pixels:
                return self._pixels[key]
        with self.objects.open(zone, entry.key) as opened:
            found = pixels_of(opened.view, entry.transfer_syntax, entry.frames)
        with self._lock:
            self._pixels[key] = found
            while len(self._pixels) > _IMAGES:
                self._pixels.popitem(last=False)
        return found

    def stored(self, zone: Zone, entry: Entry, index: int) -> bytes:
        """Return a frame as it is stored, little endian; frames count from 0."""
        pixels = self.pixels(zone, entry)
        with self.objects.open(zone, entry.key) as opened:
            return frame_of(opened.view, pixels, index)

    def frame(self, zone: Zone, entry: Entry, index: int, target: str) -> bytes:
        """Return a frame in another transfer syntax. Raises NotFound or Undecodable."""
        key = (zone, entry.key, index, target)
        found = self.remembered.get(key)
        if found is None:
            found = self.made(zone, entry, index, target)
            self.remembered.put(key, found)
        return found

    def made(self, zone: Zone, entry: Entry, index: int, target: str) -> bytes:
        """Return a frame as `frame` does, and remember nothing: who walks through an object asks once."""
        pixels = self.pixels(zone, entry)
        if target == pixels.syntax:
            return self.stored(zone, entry, index)
        check_given(pixels)
        if target not in TARGETS:
            raise Undecodable("Frames are given as they are stored, decoded, or compressed without loss.")
        task = Recode(self.stored(zone, entry, index), pixels.syntax, pixels.image, target)
        return self.decoder.run(task)
