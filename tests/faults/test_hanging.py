"""Objects that hang the engine cost the others little, and neither a stop nor a kill leaves a process."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scanward import wiring
from scanward.entrypoints.worker import Supervisor
from scanward.ports import Ports
from scanward.ports.executions import Status
from scanward.settings import Settings
from tests.faults import poisoned
from tests.faults.objects import ct
from tests.faults.site import everything, send, settings, work_alone

pytestmark = pytest.mark.integration


def _send_three_bad_among_ten(ports: Ports, name: str) -> None:
    bad = {f"bad-{number}": ct(4000 + number, name=name) for number in range(3)}
    contents = bad | {f"good-{number}": ct(number) for number in range(10)}
    send(ports, contents.values(), contents)


def _wait(seconds: float, until: Callable[[], object]) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end
        time.sleep(0.02)


def _gone(processes: list[int]) -> bool:
    return not any(Path(f"/proc/{process}").exists() for process in processes)


@contextmanager
def _stuck_service(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[int], Ports]]:
    ports = wiring.open_ports(settings(folder))
    send(ports, [ct(number, name=poisoned.STUCK) for number in range(2)] + [ct(9)])
    told = folder / "workers"
    with subprocess.Popen([sys.executable, "-m", "tests.faults.stuck_service", str(folder)]) as service:
        try:
            _wait(60, told.exists)
            _wait(10, told.read_text)
            time.sleep(1)
            yield service, [int(process) for process in told.read_text().split()], ports
        finally:
            service.kill()


def test_good_objects_go_on_while_more_objects_hang_than_there_are_workers(tmp_path: Path) -> None:
    site = settings(tmp_path, workers=2, stage_seconds=12.0, stop_seconds=1.0)
    ports = wiring.open_ports(site)
    _send_three_bad_among_ten(ports, poisoned.HANGING)
    began = time.monotonic()
    supervisor = Supervisor(site, ports, poisoned.main)
    supervisor.watch(until_idle=True)
    found = {execution.name: execution for execution in everything(ports)}
    good = [execution for name, execution in found.items() if name.startswith("good")]
    assert {(one.status, one.attempts) for one in good} == {(Status.SUCCEEDED, 1)}
    bad = [execution for name, execution in found.items() if name.startswith("bad")]
    assert {one.status for one in bad} == {Status.TIMED_OUT}
    last_good = max(one.stopped for one in good if one.stopped)
    first_bad = min(one.stopped for one in bad if one.stopped)
    # The two that were done before the hanging one of their batch came to its end wait for it at most.
    assert (last_good - first_bad).total_seconds() < 5
    assert time.monotonic() - began < 60


def test_a_larger_object_may_take_longer() -> None:
    site = Settings(stage_seconds=30)
    assert site.limit_seconds(0) == 30
    assert site.limit_seconds(500_000_000) == pytest.approx(130)


def test_sigterm_ends_stuck_workers_and_gives_back_what_they_held_uncharged(tmp_path: Path) -> None:
    with _stuck_service(tmp_path) as (service, workers, ports):
        began = time.monotonic()
        service.terminate()
        assert service.wait(10) == 0
        assert time.monotonic() - began < 5
        _wait(5, lambda: _gone(workers))
        left = [one for one in everything(ports) if one.status is Status.RUNNING]
        assert len(left) >= 2
        assert {one.attempts for one in left} == {0}
        work_alone(settings(tmp_path), ports)
        assert {(one.status, one.attempts) for one in everything(ports)} == {(Status.SUCCEEDED, 1)}


def test_workers_stuck_in_one_call_of_c_end_with_their_service(tmp_path: Path) -> None:
    with _stuck_service(tmp_path) as (service, workers, _):
        service.kill()
        service.wait()
        _wait(5, lambda: _gone(workers))
        assert _gone(workers)
