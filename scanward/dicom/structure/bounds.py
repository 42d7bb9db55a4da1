"""How much one object may ask for before it is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of one object.

    The largest real objects (enhanced multi-frame, whole-slide) hold some 300,000 items and 100,000
    fragments; as much as is allowed takes some seconds. Those of the library are tighter, for objects that
    pydicom must hold whole: an item costs it 2 kB, an element 300 bytes; `library_bytes` is of a deflated
    one, the header's without pixels.
    """

    object_bytes: int = 4 << 30
    depth: int = 64
    elements: int = 1_200_000
    items: int = 300_000
    fragments: int = 250_000
    library_items: int = 50_000
    library_elements: int = 300_000
    library_header_bytes: int = 32 << 20
    library_bytes: int = 128 << 20
    inflated_bytes: int = 512 << 20
    inflate_ratio: int = 200

    def for_library(self) -> Bounds:
        """Return the bounds of an object that pydicom must hold whole."""
        return replace(self, items=self.library_items, elements=self.library_elements)


DEFAULT = Bounds()
