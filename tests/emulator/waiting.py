"""Waiting for what somebody else does, with an end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_Found = TypeVar("_Found")


def wait_for(look: Callable[[], _Found], what: str, seconds: float = 60) -> _Found:
    """Look until something is there and return it."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(0.2)
    return found
