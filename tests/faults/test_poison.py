"""An object that kills, hangs or breaks its worker ends by itself; all others succeed, uncharged."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from scanward import wiring
from scanward.entrypoints import worker
from scanward.entrypoints.worker import Supervisor
from scanward.ports import Ports
from scanward.ports.executions import Execution, Status
from scanward.settings import Settings
from tests.faults import poisoned
from tests.faults.objects import ct
from tests.faults.site import everything, send, settings

pytestmark = pytest.mark.integration


def _open(folder: Path, **more: object) -> tuple[Settings, Ports]:
    site = settings(folder, workers=2, lease_seconds=5.0, **more)
    return site, wiring.open_ports(site)


def _by_name(ports: Ports) -> dict[str, Execution]:
    return {execution.name: execution for execution in everything(ports)}


def _send_with(ports: Ports, name: str, count: int = 30) -> None:
    """Send `count` good objects and one bad one in their midst."""
    contents = {f"good-{number}": ct(number) for number in range(count)}
    names = list(contents)
    names.insert(7, "bad")
    contents["bad"] = ct(4000, name=name)
    send(ports, (contents[one] for one in names), names)


def test_an_object_that_kills_its_worker_is_a_dead_letter_after_three(tmp_path: Path) -> None:
    site, ports = _open(tmp_path)
    _send_with(ports, poisoned.DEADLY)
    Supervisor(site, ports, poisoned.main).watch(until_idle=True)
    found = _by_name(ports)
    bad = found.pop("bad")
    assert (bad.status, bad.dead_letter, bad.attempts) == (Status.FAILED, True, 3)
    assert {(one.status, one.attempts) for one in found.values()} == {(Status.SUCCEEDED, 1)}


def test_a_stage_that_hangs_is_timed_out_and_the_others_go_on(tmp_path: Path) -> None:
    site, ports = _open(tmp_path, stage_seconds=1.0)
    _send_with(ports, poisoned.HANGING)
    began = time.monotonic()
    Supervisor(site, ports, poisoned.main).watch(until_idle=True)
    assert time.monotonic() - began < 30
    found = _by_name(ports)
    bad = found.pop("bad")
    assert (bad.status, bad.error, bad.dead_letter) == (Status.TIMED_OUT, "Timed out", False)
    assert [(stage.name, stage.status) for stage in bad.stages] == [("deidentify", Status.TIMED_OUT)]
    assert bad.stages[0].seconds >= 1
    assert {(one.status, one.attempts) for one in found.values()} == {(Status.SUCCEEDED, 1)}
    assert ports.executions.redrive(bad.id).status is Status.RUNNING


def test_a_surprise_is_told_by_type_and_place_and_never_by_its_text(tmp_path: Path) -> None:
    site, ports = _open(tmp_path, max_attempts=1)
    _send_with(ports, poisoned.BROKEN, 5)
    Supervisor(site, ports, poisoned.main).watch(until_idle=True)
    found = _by_name(ports)
    bad = found.pop("bad")
    assert (bad.status, bad.dead_letter, bad.error) == (Status.FAILED, True, "InternalError")
    assert bad.cause.startswith("ValueError in scanward.")
    assert "Broken" not in bad.cause
    assert {one.status for one in found.values()} == {Status.SUCCEEDED}


def test_a_transient_fault_is_tried_again_after_a_pause(tmp_path: Path) -> None:
    site, ports = _open(tmp_path, max_attempts=2)
    _send_with(ports, poisoned.FLAKY, 5)
    Supervisor(site, ports, poisoned.main).watch(until_idle=True)
    found = _by_name(ports)
    bad = found.pop("bad")
    assert (bad.status, bad.dead_letter, bad.attempts) == (Status.FAILED, True, 2)
    assert (bad.error, bad.cause) == ("Service unavailable", "Not now.")
    assert bad.stopped
    assert (bad.stopped - bad.started).total_seconds() >= 2
    assert {one.attempts for one in found.values()} == {1}


def test_sigterm_finishes_the_object_in_hand_and_gives_the_rest_back(tmp_path: Path) -> None:
    site, ports = _open(tmp_path)
    contents = [ct(number, side=256) for number in range(200)]
    send(ports, contents)
    supervisor = Supervisor(site, ports, poisoned.main)
    thread = threading.Thread(target=supervisor.watch)
    thread.start()
    while ports.executions.statistics()["objects_succeeded"] < 20:
        time.sleep(0.005)
    supervisor.stop()
    thread.join(20)
    assert not thread.is_alive()
    left = [one for one in everything(ports) if one.status is Status.RUNNING]
    assert {one.attempts for one in left} <= {0}
    site_again = Supervisor(site, ports, poisoned.main)
    site_again.watch(until_idle=True)
    assert {(one.status, one.attempts) for one in everything(ports)} == {(Status.SUCCEEDED, 1)}


def test_the_line_is_worked_off_and_then_left(tmp_path: Path) -> None:
    site, ports = _open(tmp_path)
    send(ports, [ct(number) for number in range(5)])
    worker.run(site, ports, until_idle=True)
    assert {one.status for one in everything(ports)} == {Status.SUCCEEDED}


def test_a_worker_by_itself_stops_on_sigterm_in_good_order(tmp_path: Path) -> None:
    site, ports = _open(tmp_path)
    send(ports, [ct(number) for number in range(5)])
    command = [sys.executable, "-m", "tests.faults.worker_alone", str(tmp_path)]
    process = subprocess.Popen(command)
    end = time.monotonic() + 60
    while ports.executions.statistics()["queue_depth"]:
        assert time.monotonic() < end
        time.sleep(0.05)
    process.terminate()
    assert process.wait(30) == 0
    assert {one.status for one in everything(ports)} == {Status.SUCCEEDED}
    assert site.workers


def test_workers_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    _open(tmp_path)
    (tmp_path / "inbox").mkdir()
    (tmp_path / "hold").touch()
    service = subprocess.Popen([sys.executable, "-m", "tests.faults.service", str(tmp_path)])
    end = time.monotonic() + 30
    workers: list[int] = []
    while len(workers) < 2:
        assert time.monotonic() < end
        time.sleep(0.02)
        told = tmp_path / "workers"
        workers = [int(process) for process in told.read_text().split()] if told.exists() else []
    service.kill()
    service.wait()
    while any(Path(f"/proc/{process}").exists() for process in workers):
        assert time.monotonic() < end
        time.sleep(0.02)
