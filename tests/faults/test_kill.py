"""`kill -9` of the service or a worker at any moment: nothing acknowledged is lost, doubled or halved."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scanward import wiring
from tests.faults.objects import ct
from tests.faults.site import assert_whole, settings, work_alone

pytestmark = pytest.mark.integration

OBJECTS = 500
KILLS = 10


def _start(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "tests.faults.service", str(folder)])


def _descendants(process: int) -> list[int]:
    """Return the workers and whatever else the service started to keep them."""
    found: list[int] = []
    try:
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *_descendants(int(child))]
    except OSError:
        pass  # It ended meanwhile.
    return found


def _acknowledged(folder: Path) -> list[str]:
    told = folder / "acknowledged"
    return told.read_text().split() if told.exists() else []


def test_ten_kills_while_500_objects_come_in_lose_double_and_halve_nothing(tmp_path: Path) -> None:
    dice = random.Random(20261125)  # noqa: S311 - moments, no secrets
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    contents = {f"{number:04}.dcm": ct(number) for number in range(OBJECTS)}
    for name, content in contents.items():
        (inbox / name).write_bytes(content)
    service = _start(tmp_path)
    under_way = 0
    for _ in range(KILLS):
        # Not before it works, or the kills would only hit imports; then at any moment.
        before, patience = len(_acknowledged(tmp_path)), time.monotonic() + 30
        while len(_acknowledged(tmp_path)) == before and service.poll() is None:
            assert time.monotonic() < patience
            time.sleep(0.005)
        time.sleep(dice.uniform(0, 0.3))
        descendants = _descendants(service.pid)
        if descendants and dice.random() < 0.5:
            with contextlib.suppress(ProcessLookupError):
                os.kill(dice.choice(descendants), signal.SIGKILL)
            continue
        under_way += service.poll() is None and len(_acknowledged(tmp_path)) < OBJECTS
        service.kill()
        service.wait()
        service = _start(tmp_path)
    assert service.wait(120) == 0
    assert under_way >= 3, "the service was too fast for the kills to hit it at work"
    assert _acknowledged(tmp_path) == sorted(contents)
    site = settings(tmp_path)
    ports = wiring.open_ports(site)
    work_alone(site, ports)
    assert_whole(ports, contents, contents)
