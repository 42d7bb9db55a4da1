"""An input that another program cuts short while it is read is refused, and the batch goes on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

from scanward.deidentify.engine import Engine
from scanward.deidentify.report import Cleaned
from scanward.entrypoints.cli.batch import state
from scanward.entrypoints.cli.batch.dispatch import Dispatcher
from scanward.entrypoints.cli.batch.plan import Entry, Outcome, Plan, Tally
from scanward.entrypoints.cli.batch.pools import InlinePool
from scanward.entrypoints.cli.batch.request import Request, planned
from scanward.entrypoints.cli.batch.sources import sources
from scanward.entrypoints.cli.batch.work import run_batch, worker_of
from scanward.settings import Settings
from tests.cli.running import Person, outputs, write_ct

pytestmark = pytest.mark.integration
CUT_BEFORE = "Cut^Before"
CUT_AFTER = "Cut^After"


class CuttingEngine(Engine):
    """Cuts some inputs short itself, just before they are read, or just after."""

    def clean_file(self, fd: int, size: int) -> Cleaned:
        content = os.pread(fd, size, 0)
        path = f"/proc/self/fd/{fd}"
        if CUT_BEFORE.encode() in content:
            os.truncate(path, 400)
        cleaned = super().clean_file(fd, size)
        if CUT_AFTER.encode() in content:
            os.truncate(path, 400)
        return cleaned


def work(plan: Plan, entries: Sequence[Entry]) -> Tally:
    worker_of(plan).engine.__class__ = CuttingEngine
    return run_batch(plan, entries)


@pytest.mark.parametrize("name", [CUT_BEFORE, CUT_AFTER])
@pytest.mark.parametrize("deflated", [False, True])
def test_an_input_cut_short_is_refused_and_the_others_are_done(
    tmp_path: Path, name: str, *, deflated: bool
) -> None:
    for number in range(5):
        write_ct(tmp_path / "in" / f"{number}.dcm", number)
    cut = write_ct(tmp_path / "in" / "3-cut.dcm", 9, Person(name=name))
    if deflated:
        image = pydicom.dcmread(cut)
        image.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        # The double looks for the name in the file's bytes, which are packed.
        image.preamble = name.encode().ljust(128, b"\0")
        image.save_as(cut, enforce_file_format=True)
    settings = Settings(key_file=tmp_path / "key" / "site.key")
    plan = planned(Request(tmp_path / "in", tmp_path / "out", settings))
    state.make_folders(plan.state)
    total = Tally()
    entries = (entry for entry in sources(plan) if isinstance(entry, Entry))
    for tally in Dispatcher(InlinePool(), plan, work, lambda _: "key").run(entries):
        total.add(tally)
        total.notes += tally.notes
    assert total.outcomes == {Outcome.DEIDENTIFIED: 5, Outcome.REJECTED: 1}
    assert [note.relative for note in total.notes] == ["3-cut.dcm"]
    assert len(outputs(tmp_path / "out")) == 5
    assert not list((tmp_path / "out" / ".scanward" / "tmp").iterdir())
