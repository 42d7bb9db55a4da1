"""What a request asks of pictures: window, viewport, quality, profile (PS3.18 8.3.5)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Query

from scanward.errors import BadInput
from scanward.ports.decoder import Viewport, Window

_FUNCTIONS: Final = {"linear": "LINEAR", "linear-exact": "LINEAR_EXACT", "sigmoid": "SIGMOID"}
_LARGEST: Final = 8192
_BEST: Final = 100
_GOOD: Final = 90
_SIDES: Final = 2
_PROFILES: Final = {
    "no": False,
    "yes": True,
    "srgb": True,
    "adobergb": None,
    "rommrgb": None,
    "displayp3": None,
}
_THUMBNAIL: Final = 128


@dataclass(frozen=True, slots=True)
class Viewing:
    """The parameters of a request for pictures. unmet: what is asked and not done."""

    window: Window | None
    viewport: Viewport | None
    quality: int
    profile: bool
    unmet: tuple[str, ...]

    @property
    def headers(self) -> dict[str, str]:
        """Return the warning of what is not done (RFC 7234 5.5.7)."""
        if not self.unmet:
            return {}
        return {"Warning": f'299 scanward "The picture is made without {" and ".join(self.unmet)}."'}


def _viewing(
    window: Annotated[str, Query(description="center,width,function (PS3.18 8.3.5.1.4)")] = "",
    viewport: Annotated[str, Query(description="width,height[,left,top,width,height] (8.3.5.1.3)")] = "",
    quality: Annotated[str, Query(description="1 to 100, of JPEG only (8.3.5.1.2)")] = "",
    iccprofile: Annotated[str, Query(description="no, yes, srgb (8.3.5.1.5)")] = "",
    annotation: Annotated[str, Query(description="Not drawn; a warning says so (8.3.5.1.1)")] = "",
) -> Viewing:
    if iccprofile.lower() not in {"", *_PROFILES}:
        raise BadInput("`iccprofile` is no, yes or srgb.")
    profile = _PROFILES.get(iccprofile.lower(), False)
    unmet = [
        name
        for name, is_asked in (("annotations", annotation), ("that profile", profile is None))
        if is_asked
    ]
    return Viewing(window_of(window), viewport_of(viewport), quality_of(quality), bool(profile), tuple(unmet))


Views = Annotated[Viewing, Depends(_viewing)]
"""What a request for pictures asks of them."""


def thumbnail_of(viewing: Viewing) -> Viewport:
    """Return the size of a thumbnail: small, never cut (PS3.18 10.4.1.1.5)."""
    asked = viewing.viewport
    width, height = (asked.width, asked.height) if asked else (_THUMBNAIL, _THUMBNAIL)
    return Viewport(width, height, only_smaller=True)


def window_of(text: str) -> Window | None:
    """Read center, width and function. Raises BadInput."""
    if not text:
        return None
    center, width, *more = [part.strip() for part in text.split(",")] + [""] * (_SIDES - text.count(",") - 1)
    function = _FUNCTIONS.get((more or ["linear"])[0].lower())
    if function is None or len(more) > 1:
        raise BadInput("`window` is center,width,function; functions are linear, linear-exact and sigmoid.")
    found = Window(_number(center, "window"), _number(width, "window"), function)
    if found.width <= 0:
        raise BadInput("`window` has a width above 0.")
    return found


def viewport_of(text: str) -> Viewport | None:
    """Read a size, and what is shown in it. Raises BadInput."""
    if not text:
        return None
    parts = text.split(",")
    if len(parts) not in {2, 6}:
        raise BadInput("`viewport` is width,height or width,height,left,top,width,height.")
    width, height, *rest = [
        _number(part.strip() or ("0" if place > 1 else ""), "viewport") for place, part in enumerate(parts)
    ]
    if not (1 <= width <= _LARGEST and 1 <= height <= _LARGEST):
        raise BadInput(f"A viewport is 1 to {_LARGEST} wide and high.")
    if rest and min(rest[:2]) < 0:
        raise BadInput("What is shown begins inside the image.")
    left, top, source_width, source_height = rest or [0.0] * 4
    return Viewport(int(width), int(height), left, top, source_width, source_height)


def quality_of(text: str) -> int:
    """Read a quality of 1 to 100. Raises BadInput."""
    if not text:
        return _GOOD
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= _BEST):
        raise BadInput("`quality` is 1 to 100.")
    return int(text)


def _number(text: str, name: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadInput(f"`{name}` holds something that is no number.")
    return value
