"""Deletion on both databases, with real objects in a real store and the real line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import func, select

from scanward import pipeline, wiring
from scanward.adapters.local import sql_tables as tables
from scanward.adapters.local.files import FileStore
from scanward.adapters.local.secrets import FileSecrets
from scanward.adapters.local.sql_catalog import SqlCatalog
from scanward.adapters.local.sql_crosswalk import SqlCrosswalk
from scanward.adapters.local.sql_deleting import SqlDeletion
from scanward.adapters.local.sql_engine import Database, open_database
from scanward.adapters.local.sql_migrate import migrate
from scanward.errors import NotFound
from scanward.pipeline import Arrival, Line
from scanward.ports import Ports
from scanward.ports.catalog import Receipt
from scanward.ports.changes import Action
from scanward.ports.executions import Claim, Status
from scanward.ports.object_store import Zone
from scanward.settings import Settings
from tests.deidentify.objects import ct, part10
from tests.ports.values import delivered, received

pytestmark = pytest.mark.integration

STUDY, SERIES = "1.2.3", "1.2.3.4"


def an_object(number: int = 1, study: str = STUDY, patient: str = "PLANTED-ID", **more: str) -> bytes:
    dataset = ct()
    dataset.PatientID, dataset.PatientName, dataset.AccessionNumber = patient, "Planted^Name", "PLANTEDACC"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, f"{study}.4"
    dataset.SOPInstanceUID = f"{study}.4.{number}"
    for keyword, value in more.items():
        setattr(dataset, keyword, value)
    return part10(dataset)


@dataclass
class Site:
    """One site: its ports, its line, and its database beside."""

    settings: Settings
    ports: Ports
    line: Line
    database: Database

    def send(self, *objects: bytes) -> list[Receipt]:
        arrivals = []
        for number, content in enumerate(objects):
            staged = self.ports.objects.stage()
            staged.write(content)
            arrivals.append(Arrival(staged, f"planted-file-{number}.dcm"))
        return pipeline.accept(arrivals, self.ports)

    def claim(self) -> list[Claim]:
        return self.ports.queue.claim("test", 20, 60)

    def work(self) -> list[Status]:
        outcomes = [pipeline.process(claim, self.line) for claim in self.claim()]
        self.ports.queue.finish(outcomes)
        return [outcome.status for outcome in outcomes]

    def files(self) -> set[Path]:
        store = self.settings.data / "store"
        return {path for zone in Zone for path in (store / zone).rglob("*") if path.is_file()}

    def rows(self) -> dict[str, int]:
        told = ("site", "alembic", "changes", "counters", "audit")
        with self.database.reading() as connection:
            counts = {
                str(table): connection.scalar(select(func.count()).select_from(table)) or 0
                for table in tables.metadata.sorted_tables
                if not table.name.startswith(told)
            }
        return {name: count for name, count in counts.items() if count}

    def told(self, zone: Zone) -> list[tuple[str, str]]:
        return [(one.action.value, one.instance_uid) for one in self.ports.changes.since(zone, 0, 1000)]


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    settings = Settings.model_validate(
        {
            "data": tmp_path / "data",
            "key_file": tmp_path / "key" / "site.key",
            "database_url": database_url,
            "free_space_bytes": 0,
        }
    )
    ports = wiring.open_ports(settings)
    database = open_database(settings.data, database_url)
    yield Site(settings, ports, wiring.open_line(settings, ports), database)
    database.close()


def test_a_study_goes_with_all_that_was_made_of_it(site: Site) -> None:
    site.send(an_object(1), an_object(2), an_object(2, PatientComments="newer"))
    assert site.work() == [Status.SUCCEEDED] * 3
    assert len(site.files()) == 6
    assert site.ports.deletion.delete(STUDY) == 2
    assert site.files() == set()
    assert site.rows() == {}
    with pytest.raises(NotFound):
        site.ports.catalog.instances(Zone.RAW, STUDY)


def test_what_was_deleted_is_not_there_to_be_deleted(site: Site) -> None:
    site.send(an_object())
    site.ports.deletion.delete(STUDY)
    for uids in [(STUDY,), (STUDY, SERIES), (STUDY, SERIES, f"{SERIES}.1"), ("9.9",)]:
        with pytest.raises(NotFound):
            site.ports.deletion.delete(*uids)


def test_an_instance_goes_alone(site: Site) -> None:
    site.send(an_object(1), an_object(2))
    site.work()
    assert site.ports.deletion.delete(STUDY, SERIES, f"{SERIES}.1") == 1
    (left,) = site.ports.catalog.instances(Zone.RAW, STUDY)
    assert left.instance.instance_uid == f"{SERIES}.2"
    (study,) = site.ports.catalog.studies(Zone.DEID)
    assert study.instances == 1
    (clean,) = site.ports.catalog.instances(Zone.DEID, study.study_uid)
    assert site.ports.crosswalk.original("instance", clean.instance.instance_uid, "t") == f"{SERIES}.2"
    assert site.ports.crosswalk.original("patient", study.patient_id, "t") == "PLANTED-ID"
    assert len(site.files()) == 2


def test_a_patient_stays_in_the_crosswalk_while_another_study_is_there(site: Site) -> None:
    site.send(an_object(1), an_object(1, "1.2.9"), an_object(1, "1.2.8", patient="OTHER"))
    site.work()
    site.ports.deletion.delete(STUDY)
    assert site.rows()["raw.crosswalk"] == 8
    site.ports.deletion.delete("1.2.9")
    assert site.rows()["raw.crosswalk"] == 4
    with pytest.raises(NotFound):
        site.ports.deletion.delete("1.2.8", "1.2.8.5")
    assert site.ports.deletion.delete("1.2.8", "1.2.8.4") == 1
    assert site.rows() == {}


def test_a_patient_id_with_its_issuer_and_padding_leaves_the_crosswalk_too(site: Site) -> None:
    site.send(
        an_object(1, patient=" PLANTED-ÄÖ ", IssuerOfPatientID="Clinic ", SpecificCharacterSet="ISO_IR 100")
    )
    assert site.work() == [Status.SUCCEEDED]
    assert site.rows()["raw.crosswalk"] == 4
    site.ports.deletion.delete(STUDY)
    assert site.rows() == {}


def test_what_the_line_put_into_quarantine_goes_too(site: Site) -> None:
    site.send(an_object(1, BurnedInAnnotation="YES"))
    assert site.work() == [Status.FAILED]
    assert "raw.quarantine" in site.rows()
    site.ports.deletion.delete(STUDY)
    assert site.rows() == {}
    assert site.files() == set()


def test_a_moved_instance_stays_where_it_is_when_its_old_study_goes(site: Site) -> None:
    site.send(an_object(1))
    site.send(an_object(1, "1.2.9", SOPInstanceUID=f"{SERIES}.1"))
    site.work()
    assert site.ports.deletion.delete(STUDY) == 1
    assert [kept.instance.instance_uid for kept in site.ports.catalog.instances(Zone.RAW, "1.2.9")] == [
        f"{SERIES}.1"
    ]


def test_the_feeds_tell_uids_of_their_own_zone_and_nothing_else(site: Site) -> None:
    site.send(an_object(1))
    site.work()
    (study,) = site.ports.catalog.studies(Zone.DEID)
    (clean,) = site.ports.catalog.instances(Zone.DEID, study.study_uid)
    new = clean.instance.instance_uid
    site.ports.deletion.delete(STUDY)
    assert site.told(Zone.RAW) == [("stored", f"{SERIES}.1"), ("deleted", f"{SERIES}.1")]
    assert site.told(Zone.DEID) == [("de-identified", new), ("deleted", new)]
    assert site.ports.changes.since(Zone.DEID, 1)[0].action is Action.DELETED


def test_an_object_deleted_while_a_worker_has_it_leaves_nothing(site: Site) -> None:
    site.send(an_object(1), an_object(2), an_object(1, "1.2.9"))
    claims = site.claim()
    works = [pipeline.advance(claim, site.line) for claim in claims]
    assert site.ports.deletion.delete(STUDY) == 2
    outcomes = pipeline.settle(works, site.ports)
    assert site.ports.queue.finish(outcomes) == 1
    assert [one.status for one in site.ports.executions.list()] == [Status.SUCCEEDED]
    assert len(site.files()) == 2
    assert {name: count for name, count in site.rows().items() if "deid" in name} == dict.fromkeys(
        ("deid.instances", "deid.studies", "deid.series", "deid.models"), 1
    )
    assert site.rows()["raw.crosswalk"] == 4


def test_an_object_deleted_before_a_worker_opens_it_harms_no_other(site: Site) -> None:
    site.send(an_object(1), an_object(1, "1.2.9"))
    claims = site.claim()
    site.ports.deletion.delete(STUDY)
    works = [pipeline.advance(claim, site.line) for claim in claims]
    assert site.ports.queue.finish(pipeline.settle(works, site.ports)) == 1
    assert site.work() == []
    assert site.rows()["raw.executions"] == 1


def test_an_object_at_fault_deleted_while_a_worker_has_it_is_not_quarantined(site: Site) -> None:
    site.send(an_object(1, BurnedInAnnotation="YES"), an_object(1, "1.2.9"))
    works = [pipeline.advance(claim, site.line) for claim in site.claim()]
    assert [work.error is None for work in works] == [False, True]
    site.ports.deletion.delete(STUDY)
    assert site.ports.queue.finish(pipeline.settle(works, site.ports)) == 1
    assert "raw.quarantine" not in site.rows()
    assert len(site.files()) == 2


def test_the_same_bytes_sent_again_after_a_deletion_are_new(site: Site) -> None:
    site.send(an_object())
    site.work()
    site.ports.deletion.delete(STUDY)
    (receipt,) = site.send(an_object())
    assert not receipt.duplicate
    assert site.work() == [Status.SUCCEEDED]
    assert len(site.files()) == 2


def test_what_a_crash_left_in_the_store_goes_with_the_next_start(site: Site) -> None:
    site.send(an_object())
    site.work()
    broken = SqlDeletion(site.database, site.line.ports.crosswalk, site.ports.objects)  # type: ignore[arg-type]  # the local one
    broken.finish = lambda: 0  # type: ignore[method-assign]  # the process dies here
    broken.delete(STUDY)
    assert len(site.files()) == 2
    assert site.rows() == {"raw.removals": 3}
    assert site.ports.deletion.finish() == 3
    assert site.files() == set()
    assert site.rows() == {}


def test_a_blob_that_came_back_before_its_removal_stays(site: Site) -> None:
    site.send(an_object())
    broken = SqlDeletion(site.database, site.line.ports.crosswalk, site.ports.objects)  # type: ignore[arg-type]  # the local one
    broken.finish = lambda: 0  # type: ignore[method-assign]  # it is slow
    broken.delete(STUDY)
    site.send(an_object())
    site.ports.deletion.finish()
    assert site.work() == [Status.SUCCEEDED]
    assert site.rows().get("raw.removals") is None


def test_nothing_planted_is_left_in_any_file_of_the_site(site: Site) -> None:
    others = [
        an_object(number, "9.8.7", patient="KEPT", PatientName="K", AccessionNumber="")
        for number in range(40)
    ]
    site.send(*others[:20])
    for start in range(0, 60, 20):
        site.send(*(an_object(number) for number in range(start, start + 20)))
    site.send(*others[20:], an_object(3, PatientComments="Planted^Name again"))
    while site.work():
        pass
    site.ports.deletion.delete(STUDY)
    assert len(site.ports.catalog.instances(Zone.RAW, "9.8.7")) == 40
    for path in site.settings.data.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        for value in ("PLANTED-ID", "Planted^Name", "PLANTEDACC", "Planted"):
            assert value.encode() not in content, (path, value)


def test_many_deletions_leave_nothing_in_the_pages_of_the_catalog(tmp_path: Path) -> None:
    """Of pages whose cells moved, `secure_delete` alone leaves parts of rows behind."""
    database = open_database(tmp_path / "data", "")
    migrate(database)
    walk = SqlCrosswalk(database, FileSecrets(tmp_path / "key" / "site.key"))
    deletion = SqlDeletion(database, walk, FileStore(tmp_path / "store"))
    catalog, random = SqlCatalog(database), Random(1)  # noqa: S311 - the same pages each time
    studies = [f"1.9.{number}" for number in range(200)]
    for start in range(0, 1500, 50):
        chosen = [(number, random.choice(studies)) for number in range(start, start + 50)]
        catalog.receive(
            [received(one, study=uid, series=f"{uid}.1", patient_id=f"P{uid}X") for one, uid in chosen]
        )
        catalog.deliver(
            [
                delivered(one, study=f"2.{uid}", series=f"2.{uid}.1", patient_id=f"ANON{uid}X")
                for one, uid in chosen
            ]
        )
    for uid in studies[::3]:
        deletion.delete(uid)
    content = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir())
    assert b"P1.9.1X" in content
    for uid in studies[::3]:
        assert f"P{uid}X".encode() not in content
        assert f"ANON{uid}X".encode() not in content
    database.close()
