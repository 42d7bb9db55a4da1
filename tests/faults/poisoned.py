"""A worker whose engine has faults that the real one must not have: it dies, hangs or fails at times."""

from __future__ import annotations

import dataclasses
import os
import re
import signal
import time

from scanward import wiring
from scanward.deidentify.engine import Engine
from scanward.deidentify.report import Cleaned
from scanward.entrypoints.worker import loop
from scanward.entrypoints.worker.seat import Seat
from scanward.errors import Unavailable
from scanward.pipeline import Line
from scanward.ports import Ports
from scanward.settings import Settings

DEADLY = "Deadly^Name"
HANGING = "Hangs^Ever"
STUCK = "Stuck^Inside"
BROKEN = "Broken^Name"
FLAKY = "Flaky^Name"


class PoisonedEngine(Engine):
    def clean_file(self, fd: int, size: int) -> Cleaned:
        content = os.pread(fd, size, 0)
        if DEADLY.encode() in content:
            os.kill(os.getpid(), signal.SIGKILL)
        if HANGING.encode() in content:
            time.sleep(60)
        if STUCK.encode() in content:
            re.match("(a+)+b", "a" * 40)  # one call of C that ends no sooner than the universe
        if BROKEN.encode() in content:
            raise ValueError(f"a library's text with {BROKEN} in it")
        if FLAKY.encode() in content:
            raise Unavailable("Not now.")
        return super().clean_file(fd, size)


def poisoned_line(settings: Settings, ports: Ports) -> Line:
    line = wiring.open_line(settings, ports)
    line.engine.__class__ = PoisonedEngine
    return dataclasses.replace(line)


def main(settings: Settings, seat: Seat) -> None:
    loop.main(settings, seat, poisoned_line)
