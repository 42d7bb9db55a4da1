from __future__ import annotations

import dataclasses
import hashlib
import threading
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import UID

from scanward import pipeline, wiring
from scanward.deidentify.report import Cleaned, Identity
from scanward.errors import Misconfigured
from scanward.pipeline import Line
from scanward.ports import Ports
from scanward.ports.catalog import Receipt
from scanward.ports.executions import Execution, Status
from scanward.ports.object_store import Zone
from scanward.settings import Settings
from tests.faults.objects import ct
from tests.faults.site import assert_whole, everything, kept, send, settings, work_alone

pytestmark = pytest.mark.integration


@pytest.fixture
def site(tmp_path: Path) -> Settings:
    return settings(tmp_path)


@pytest.fixture
def ports(site: Settings) -> Ports:
    return wiring.open_ports(site)


def _shipped(name: str) -> bytes:
    path = get_testdata_file(name)
    assert isinstance(path, str)
    return Path(path).read_bytes()


def _one(ports: Ports) -> Execution:
    (execution,) = everything(ports)
    return execution


def test_a_ct_goes_through_the_line_and_comes_out_without_its_patient(site: Settings, ports: Ports) -> None:
    content = _shipped("CT_small.dcm")
    (receipt,) = send(ports, [content], ["ct.dcm"])
    assert receipt.key == hashlib.sha256(content).hexdigest()
    work_alone(site, ports)
    execution = _one(ports)
    assert (execution.status, execution.id, execution.name) == (
        Status.SUCCEEDED,
        receipt.execution_id,
        "ct.dcm",
    )
    assert [stage.name for stage in execution.stages] == [name for name, _ in pipeline.STEPS]
    assert all(stage.seconds > 0 for stage in execution.stages)
    (out,) = kept(ports, Zone.DEID)
    assert (out.key, out.instance.study_uid) == (execution.deid_key, execution.deid_study_uid)
    with ports.objects.open(Zone.DEID, out.key) as opened:
        before, after = pydicom.dcmread(BytesIO(content)), pydicom.dcmread(BytesIO(opened.view))
        assert str(before.PatientName).encode() not in bytes(opened.view)
    assert after.PixelData == before.PixelData
    assert after.PatientID == out.instance.patient_id != before.PatientID
    assert after.SOPInstanceUID != before.SOPInstanceUID
    with ports.objects.open(Zone.RAW, receipt.key) as opened:
        assert opened.view == content


def test_the_order_of_the_steps_is_validate_deidentify_store() -> None:
    assert [name for name, _ in pipeline.STEPS] == ["validate", "deidentify", "store"]


def test_the_crosswalk_leads_from_each_pseudonym_back(site: Settings, ports: Ports) -> None:
    content = _shipped("CT_small.dcm")
    send(ports, [content])
    work_alone(site, ports)
    before, (out,) = pydicom.dcmread(BytesIO(content)), kept(ports, Zone.DEID)
    new = out.instance
    assert ports.crosswalk.original("patient", new.patient_id, "test") == before.PatientID
    assert ports.crosswalk.original("study", new.study_uid, "test") == before.StudyInstanceUID
    assert ports.crosswalk.original("series", new.series_uid, "test") == before.SeriesInstanceUID
    assert ports.crosswalk.original("instance", new.instance_uid, "test") == before.SOPInstanceUID


def test_what_the_gate_refuses_is_in_quarantine_with_its_reason_and_no_execution(ports: Ports) -> None:
    contents = [ct(1), b"no dicom at all", ct(2)[:-100]]
    good, text, cut = send(ports, contents, ["good", "text", "cut"])
    assert good.execution_id
    for receipt, content in ((text, contents[1]), (cut, contents[2])):
        assert receipt.error == "Invalid DICOM file"
        assert receipt.faults
        assert not receipt.execution_id
        with ports.objects.open(Zone.QUARANTINE, receipt.key) as opened:
            assert opened.view == content
    assert len(everything(ports)) == 1
    assert len(kept(ports, Zone.RAW)) == 1


def test_a_dicomdir_is_read_past_and_never_copied(ports: Ports) -> None:
    names = ["dicomdir", "ct"]
    passed, taken = send(ports, [_shipped("DICOMDIR"), ct(1)], names)
    assert (passed.name, passed.key, passed.execution_id) == ("dicomdir", "", "")
    assert [fault.rule for fault in passed.faults] == ["dicomdir"]
    assert taken.execution_id
    assert len(list(ports.objects.keys(Zone.RAW))) == 1  # type: ignore[attr-defined]  # a file store has keys
    assert not list(ports.objects.keys(Zone.QUARANTINE))  # type: ignore[attr-defined]  # as above


def test_what_cannot_be_cleaned_fails_once_and_is_in_quarantine_but_not_in_deid(
    site: Settings, ports: Ports
) -> None:
    (receipt,) = send(ports, [_shipped("examples_rgb_color.dcm")])
    work_alone(site, ports)
    execution = _one(ports)
    assert (execution.status, execution.error, execution.attempts) == (Status.FAILED, "Quarantined", 1)
    assert not execution.dead_letter
    assert execution.faults
    assert [(stage.name, stage.status) for stage in execution.stages] == [
        ("validate", Status.SUCCEEDED),
        ("deidentify", Status.FAILED),
    ]
    for zone in (Zone.RAW, Zone.QUARANTINE):
        with ports.objects.open(zone, receipt.key):
            pass
    assert kept(ports, Zone.DEID) == []


def test_a_broken_rule_that_the_site_rejects_fails_in_the_seeds_words(tmp_path: Path) -> None:
    site = settings(tmp_path, rules={"type1-missing": "reject"})
    ports = wiring.open_ports(site)
    dataset = pydicom.dcmread(BytesIO(ct(1)))
    del dataset.ImageType
    buffer = BytesIO()
    dataset.save_as(buffer)
    send(ports, [buffer.getvalue()])
    work_alone(site, ports)
    execution = _one(ports)
    assert (execution.status, execution.error) == (Status.FAILED, "Validation failed")
    assert "type1-missing" in {fault.rule for fault in execution.faults}


def test_eight_senders_of_one_object_at_once_get_one_execution(site: Settings, ports: Ports) -> None:
    receipts: list[Receipt] = []
    start = threading.Barrier(8)

    def one() -> None:
        start.wait()
        receipts.extend(send(ports, [ct(1)]))

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(receipts) == 8
    assert len({receipt.execution_id for receipt in receipts}) == 1
    assert sum(receipt.duplicate for receipt in receipts) == 7
    work_alone(site, ports)
    assert_whole(ports, {"1": ct(1)}, ["1"])


def test_doing_an_object_again_at_any_point_changes_nothing(site: Settings, ports: Ports) -> None:
    send(ports, [ct(1)])
    line = wiring.open_line(site, ports)
    (claim,) = ports.queue.claim("test", 1, 60)
    first = pipeline.process(claim, line)
    again = pipeline.process(claim, wiring.open_line(site, ports))
    assert dataclasses.replace(first, stages=()) == dataclasses.replace(again, stages=())
    assert ports.queue.finish([first]) == 1
    assert ports.queue.finish([again]) == 0
    assert_whole(ports, {"1": ct(1)}, ["1"])


def test_an_output_does_not_depend_on_what_came_before_it(tmp_path: Path) -> None:
    contents = [ct(number, patient=number % 3) for number in range(12)]
    sums: list[dict[str, str]] = []
    for order in (contents, contents[::-1]):
        site = settings(tmp_path / str(len(sums)), key_file=tmp_path / "site.key")
        ports = wiring.open_ports(site)
        send(ports, order)
        work_alone(site, ports)
        sums.append({one.key: one.checksum for one in kept(ports, Zone.DEID)})
    assert sums[0] == sums[1]


def test_changed_bytes_under_one_uid_supersede_in_both_zones(site: Settings, ports: Ports) -> None:
    send(ports, [ct(1)])
    work_alone(site, ports)
    (receipt,) = send(ports, [ct(1, name="Other^Name")])
    assert receipt.superseded
    work_alone(site, ports)
    assert len(everything(ports)) == 2
    (raw,), (deid,) = kept(ports, Zone.RAW), kept(ports, Zone.DEID)
    assert raw.key == receipt.key
    newest = ports.executions.describe(receipt.execution_id)
    assert newest.deid_key == deid.key


def test_a_collision_of_pseudonyms_is_quarantined(site: Settings, ports: Ports) -> None:
    send(ports, [ct(1, patient=1), ct(2, patient=2)])
    line = wiring.open_line(site, ports)
    claims = ports.queue.claim("test", 20, 60)
    colliding = Line(ports, _OnePseudonym(line), line.severities, line.bounds)  # type: ignore[arg-type]  # stands in for an engine
    outcomes = pipeline.settle([pipeline.advance(claim, colliding) for claim in claims], ports)
    assert [outcome.status for outcome in outcomes] == [Status.SUCCEEDED, Status.FAILED]
    assert [fault.rule for fault in outcomes[1].faults] == ["pseudonym-collision"]
    ports.queue.finish(outcomes)
    assert len(kept(ports, Zone.DEID)) == 1
    with ports.objects.open(Zone.QUARANTINE, claims[1].raw_key):
        pass


class _OnePseudonym:
    """An engine of which two patients get one pseudonym, as 48 bits may once do."""

    def __init__(self, line: Line) -> None:
        self._engine = line.engine
        self.release = line.engine.release

    def clean_file(self, fd: int, size: int) -> Cleaned:
        cleaned = self._engine.clean_file(fd, size)
        new = cleaned.replaced
        same = Identity("ANON-000000000000", "", new.study_uid, new.series_uid, new.instance_uid)
        return dataclasses.replace(cleaned, replaced=same)


def test_objects_without_a_real_patient_id_do_not_collide(site: Settings, ports: Ports) -> None:
    dataset = pydicom.dcmread(BytesIO(ct(1)))
    contents = []
    for number, patient_id in enumerate(("", "0", "ANONYMOUS")):
        dataset.PatientID = patient_id
        dataset.SOPInstanceUID = UID(f"1.2.3.{number}")
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        buffer = BytesIO()
        dataset.save_as(buffer)
        contents.append(buffer.getvalue())
    send(ports, contents)
    work_alone(site, ports)
    assert {execution.status for execution in everything(ports)} == {Status.SUCCEEDED}


def test_another_or_a_missing_key_on_an_existing_catalog_refuses_to_start(
    site: Settings, ports: Ports, tmp_path: Path
) -> None:
    fingerprint = ports.secrets.fingerprint()
    other = settings(tmp_path, key_file=tmp_path / "other.key")
    with pytest.raises(Misconfigured, match=fingerprint):
        wiring.open_ports(other)
    assert not (tmp_path / "other.key").exists()
    site.key_file.unlink()
    with pytest.raises(Misconfigured, match="missing"):
        wiring.open_ports(site)


def test_a_dicomdir_alone_leaves_nothing_at_all(ports: Ports) -> None:
    (passed,) = send(ports, [_shipped("DICOMDIR")])
    assert passed.error == "Read past"
    assert everything(ports) == []


def test_an_output_that_does_not_pass_the_gate_is_quarantined(site: Settings, ports: Ports) -> None:
    send(ports, [ct(1)])
    line = wiring.open_line(site, ports)
    (claim,) = ports.queue.claim("test", 20, 60)
    cutting = dataclasses.replace(line, engine=_Cutting(line))  # type: ignore[arg-type]  # stands in for an engine
    outcome = pipeline.process(claim, cutting)
    assert (outcome.status, outcome.error) == (Status.FAILED, "Quarantined")
    assert outcome.faults
    assert not list((site.data / "store" / "staging").iterdir())
    assert kept(ports, Zone.DEID) == []


class _Cutting:
    """An engine whose outputs end too early."""

    def __init__(self, line: Line) -> None:
        self._engine = line.engine
        self.release = line.engine.release

    def clean_file(self, fd: int, size: int) -> Cleaned:
        cleaned = self._engine.clean_file(fd, size)
        return dataclasses.replace(cleaned, pieces=cleaned.pieces[:1])


def test_a_raw_blob_that_is_gone_ends_in_the_dead_letters(site: Settings, ports: Ports) -> None:
    (receipt,) = send(ports, [ct(1)])
    ports.objects.delete(Zone.RAW, receipt.key)
    line = wiring.open_line(site, ports)
    (claim,) = ports.queue.claim("test", 1, 60)
    outcome = pipeline.process(claim, line)
    assert (outcome.status, outcome.error) == (Status.RUNNING, "Not found")
    assert outcome.retry_after
