"""A power cut at any moment of an ingest: what was acknowledged is there after the restart, whole and once.

`kill -9` does not find a missing fsync, as the kernel keeps what was written. Here the file-system calls of a
real run are recorded, and states that a power cut may leave are built of them: only what was synced is sure.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from scanward import wiring
from scanward.errors import ScanwardError
from tests.faults.disk_model import Disk, Node
from tests.faults.objects import ct
from tests.faults.recording import CALLS, Call, Player, read_calls
from tests.faults.site import assert_whole, send, settings, work_alone

pytestmark = pytest.mark.integration

CONTENTS = {f"{number:02}.dcm": ct(number) for number in range(16)}


@pytest.fixture(scope="module")
def in_memory() -> Iterator[Path]:
    """Return a folder in memory where that is possible: many stores are made, and no disk is needed."""
    memory = Path("/dev/shm")  # noqa: S108 - names in it are random
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def recording(in_memory: Path) -> tuple[Path, list[Call]]:
    folder = in_memory / "recorded"
    folder.mkdir()
    (folder / "inbox").mkdir()
    for name, content in CONTENTS.items():
        (folder / "inbox" / name).write_bytes(content)
    wiring.open_secrets(
        settings(folder)
    ).site_secret()  # The key is outside the data folder, and there before.
    record = folder / "record"
    trace = ["strace", "-f", "-o", str(record), "-xx", "-s", "10000000", "-e", f"trace={CALLS}"]
    run = [sys.executable, "-m", "tests.faults.recorded_run", str(folder)]
    done = subprocess.run([*trace, *run], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    calls = read_calls(record)
    return folder, calls


def _restart(folder: Path, acknowledged: Sequence[str]) -> None:
    """Start on what is left, send again what was not acknowledged, work, and look."""
    site = settings(folder)
    ports = wiring.open_ports(site)
    work_alone(site, ports)
    assert_whole(ports, CONTENTS, acknowledged)
    missing = [name for name in CONTENTS if name not in acknowledged]
    send(ports, (CONTENTS[name] for name in missing), missing)
    work_alone(site, ports)
    assert_whole(ports, CONTENTS, CONTENTS)


def _try_states(recording: tuple[Path, list[Call]], points: int, each: int) -> set[int]:
    recorded, calls = recording
    dice = random.Random(20261125)  # noqa: S311 - samples, no secrets
    first = next(place for place, call in enumerate(calls) if str(recorded / "data").encode() in call.texts)
    chosen = set(dice.sample(range(first + 1, len(calls)), points)) | {len(calls) - 1}
    player = Player(str(recorded / "data"))
    seen = set()
    for place, call in enumerate(calls):
        player.play(call)
        if place not in chosen:
            continue
        for number in range(each):
            state = recorded.parent / f"{place}-{number}"
            shutil.rmtree(state, ignore_errors=True)
            shutil.copytree(recorded / "keys", state / "keys")
            player.disk.after_cut(dice, str(recorded / "data"), state / "data")
            _restart(state, player.acknowledged)
            shutil.rmtree(state)
        seen.add(len(player.acknowledged))
    assert player.acknowledged == list(CONTENTS)
    return seen


def test_what_was_acknowledged_survives_a_power_cut(
    recording: tuple[Path, list[Call]],
) -> None:
    assert len(_try_states(recording, points=40, each=1)) > 2


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_what_was_acknowledged_survives_a_power_cut_at_many_points(
    recording: tuple[Path, list[Call]],
) -> None:
    assert len(_try_states(recording, points=400, each=3)) == 5


@pytest.mark.parametrize("forgotten", ["files", "folders"])
def test_the_replay_finds_a_forgotten_fsync(
    recording: tuple[Path, list[Call]],
    monkeypatch: pytest.MonkeyPatch,
    forgotten: str,
) -> None:
    """The test's own test: without the fsync of blobs, or of folders, something is lost."""
    synced = Node.sync
    if forgotten == "folders":
        monkeypatch.setattr(Disk, "sync_folder", lambda _disk, _path: None)
    else:
        monkeypatch.setattr(Node, "sync", lambda node: synced(node) if node.now[:6] == b"SQLite" else None)
    with pytest.raises((AssertionError, ScanwardError)):
        _try_states(recording, points=0, each=8)


def test_a_blob_without_a_row_is_swept_after_a_power_cut(tmp_path: Path) -> None:
    site = settings(tmp_path)
    ports = wiring.open_ports(site)
    send(ports, [CONTENTS["00.dcm"]])
    stray = site.data / "store" / "raw" / "ff" / ("f" * 64)
    stray.write_bytes(b"left by a crash")
    (site.data / "store" / "staging" / "left").write_bytes(b"half")
    del ports
    again = wiring.open_ports(site)
    work_alone(site, again)
    assert_whole(again, CONTENTS, ["00.dcm"])
    assert not stray.exists()
