"""All cases of bad input, for the gate here and for engine, command line and HTTP door elsewhere."""

from __future__ import annotations

from tests.hostile.cases import Case
from tests.hostile.files import FILES
from tests.hostile.images import IMAGES
from tests.hostile.structures import STRUCTURES

CASES: tuple[Case, ...] = FILES + STRUCTURES + IMAGES

__all__ = ["CASES", "Case"]
