"""A disk that is full or broken: nothing is acknowledged, nothing half-written stays; later all is well."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scanward import pipeline, wiring
from scanward.errors import OutOfSpace, ScanwardError, Unavailable
from scanward.ports import Ports
from scanward.ports.executions import Status
from tests.faults.objects import ct
from tests.faults.site import assert_whole, everything, send, settings, work_alone

pytestmark = pytest.mark.integration

CONTENTS = {f"{number}.dcm": ct(number) for number in range(6)}


def _send(ports: Ports) -> None:
    send(ports, CONTENTS.values(), CONTENTS)


@contextmanager
def _failing(call: str, code: int, after: int = 0) -> Iterator[list[int]]:
    """Let a call of the operating system fail with `code` from its `after`-th use on."""
    real: Callable[..., object] = getattr(os, call)
    uses = [0]

    def fail(*arguments: object) -> object:
        uses[0] += 1
        if uses[0] > after:
            raise OSError(code, os.strerror(code), "/a/path/that/must/not/be/told")
        return real(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, call, fail)
        yield uses


@pytest.mark.parametrize(
    ("call", "code", "after", "error"),
    [
        ("write", errno.ENOSPC, 0, OutOfSpace),
        ("write", errno.ENOSPC, 4, OutOfSpace),
        ("write", errno.EDQUOT, 2, OutOfSpace),
        ("write", errno.EIO, 2, Unavailable),
        ("fsync", errno.EIO, 0, Unavailable),
        ("fsync", errno.ENOSPC, 3, OutOfSpace),
        ("fsync", errno.EIO, 7, Unavailable),
        ("link", errno.ENOSPC, 2, OutOfSpace),
    ],
)
def test_a_disk_fault_at_the_door_acknowledges_nothing(
    tmp_path: Path, call: str, code: int, after: int, error: type[ScanwardError]
) -> None:
    site = settings(tmp_path)
    ports = wiring.open_ports(site)
    with _failing(call, code, after) as uses, pytest.raises(error) as caught:
        _send(ports)
    assert uses[0] > after
    assert "must/not" not in caught.value.message
    assert not everything(ports)
    assert not list((site.data / "store" / "staging").iterdir())
    _send(ports)
    work_alone(site, ports)
    assert_whole(ports, CONTENTS, CONTENTS)


@pytest.mark.parametrize(("call", "code"), [("fsync", errno.EIO), ("link", errno.ENOSPC)])
def test_a_disk_fault_in_the_line_is_tried_again_later(tmp_path: Path, call: str, code: int) -> None:
    site = settings(tmp_path)
    ports = wiring.open_ports(site)
    _send(ports)
    line = wiring.open_line(site, ports)
    claims = ports.queue.claim("test", 20, 60)
    with _failing(call, code):
        works = [pipeline.advance(claim, line) for claim in claims]
        outcomes = pipeline.settle(works, ports)
    assert {outcome.status for outcome in outcomes} == {Status.RUNNING}
    assert all(outcome.retry_after for outcome in outcomes)
    assert {outcome.error for outcome in outcomes} <= {"Service unavailable", "Insufficient storage"}
    assert not list((site.data / "store" / "staging").iterdir())
    works = [pipeline.advance(claim, line) for claim in claims]
    assert ports.queue.finish(pipeline.settle(works, ports)) == len(CONTENTS)
    assert_whole(ports, CONTENTS, CONTENTS)


def test_a_real_limit_of_the_system_is_told_as_a_full_disk(tmp_path: Path) -> None:
    site = settings(tmp_path)
    ports = wiring.open_ports(site)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        staged = ports.objects.stage()
        with pytest.raises(OutOfSpace):
            staged.write(bytes(20_000))
        staged.discard()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list((site.data / "store" / "staging").iterdir())


def test_below_the_watermark_the_door_refuses_before_the_disk_is_full(tmp_path: Path) -> None:
    wiring.open_ports(settings(tmp_path))
    ports = wiring.open_ports(settings(tmp_path, free_space_bytes=1 << 60))
    with pytest.raises(OutOfSpace) as caught:
        _send(ports)
    assert caught.value.status == 507
    assert not everything(ports)
