"""The index of the catalog: what is found, what is told, and in which order."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from scanward.adapters.local.sql_catalog import SqlCatalog
from scanward.adapters.local.sql_engine import Database
from scanward.adapters.local.sql_search import SqlSearch
from scanward.dicom import instance, json_model
from scanward.dicom.frames import packed_table, unpacked
from scanward.dicom.structure import check
from scanward.index.parsing import read
from scanward.ports.catalog import Delivered, Received
from scanward.ports.object_store import Zone
from scanward.ports.search import Level, Page
from tests.deidentify.objects import ct, part10
from tests.ports.values import key

pytestmark = pytest.mark.integration

STUDIES = [
    # study, patient, name, date, accession, modalities by series
    ("1.2.1", "P1", "Çelik^Ayşe", "20200101", "A1", ("CT", "CT", "SR")),
    ("1.2.2", "P2", "Rossi^Giulia", "20200215", "A2", ("MR",)),
    ("1.2.3", "P1", "Çelik^Ayşe", "20210101", "A_%", ("CT",)),
    ("1.2.4", "", "山田^太郎", "", "", ("US", "US")),
]


def received(study: tuple[str, str, str, str, str, tuple[str, ...]], series: int, number: int) -> Received:
    dataset = ct()
    dataset.StudyInstanceUID, dataset.PatientID, dataset.PatientName = study[0], study[1], study[2]
    dataset.StudyDate, dataset.AccessionNumber = study[3], study[4]
    dataset.Modality = study[5][series]
    dataset.SeriesInstanceUID, dataset.SeriesNumber = f"{study[0]}.{series}", series
    dataset.SOPInstanceUID, dataset.InstanceNumber = f"{study[0]}.{series}.{number}", number
    dataset.InstitutionName = f"Klinik {study[0]}"
    raw = part10(dataset)
    view = memoryview(raw)
    structure = check(view)
    return Received(
        key(dataset.SOPInstanceUID),
        len(raw),
        "file.dcm",
        instance.describe(view, structure),
        model=json_model.lines(json_model.models().fragments(view, structure)),
        frames=packed_table(view, structure),
    )


@pytest.fixture
def search(database: Database) -> SqlSearch:
    catalog = SqlCatalog(database)
    for study in STUDIES:
        for series in range(len(study[5])):
            catalog.receive([received(study, series, number) for number in (2, 1)])
    return SqlSearch(database)


def asked(search: SqlSearch, level: Level, study: str = "", series: str = "", **parameters: str) -> Page:
    query, _ = read(level, list(parameters.items()), study, series)
    return search.find(Zone.RAW, query)


def uids(page: Page) -> list[str]:
    return [one.instance_uid or one.series_uid or one.study_uid for one in page.matches]


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({}, ["1.2.3", "1.2.2", "1.2.1", "1.2.4"]),
        ({"PatientID": "P1"}, ["1.2.3", "1.2.1"]),
        ({"PatientID": "p1"}, []),
        ({"PatientID": "P*"}, ["1.2.3", "1.2.2", "1.2.1"]),
        ({"PatientID": "?1"}, ["1.2.3", "1.2.1"]),
        ({"PatientName": "celik*"}, ["1.2.3", "1.2.1"]),
        ({"PatientName": "山田*"}, ["1.2.4"]),
        ({"PatientName": "giu", "fuzzymatching": "true"}, ["1.2.2"]),
        ({"StudyDate": "20200101-20200301"}, ["1.2.2", "1.2.1"]),
        ({"StudyDate": "20210101"}, ["1.2.3"]),
        ({"StudyDate": "-20191231"}, []),
        ({"StudyInstanceUID": "1.2.1,1.2.4,9"}, ["1.2.1", "1.2.4"]),
        ({"AccessionNumber": "A_%"}, ["1.2.3"]),
        ({"AccessionNumber": '""', "emptyvaluematching": "true"}, ["1.2.4"]),
        ({"ModalitiesInStudy": "SR"}, ["1.2.1"]),
        ({"ModalitiesInStudy": "MR\\US"}, ["1.2.2", "1.2.4"]),
        ({"Modality": "CT"}, ["1.2.3", "1.2.1"]),
        ({"ReferringPhysicianName": "house*", "PatientID": "P2"}, ["1.2.2"]),
        ({"00100010": "x*"}, []),
    ],
)
def test_studies_that_match_are_found_newest_examination_first(
    search: SqlSearch, parameters: dict[str, str], found: list[str]
) -> None:
    page = asked(search, Level.STUDY, **parameters)
    assert uids(page) == found
    assert page.total == len(found)


@pytest.mark.parametrize(
    ("study", "parameters", "found"),
    [
        ("1.2.1", {}, ["1.2.1.0", "1.2.1.1", "1.2.1.2"]),
        ("1.2.1", {"Modality": "CT"}, ["1.2.1.0", "1.2.1.1"]),
        ("1.2.1", {"SeriesNumber": "2"}, ["1.2.1.2"]),
        ("", {"Modality": "US"}, ["1.2.4.0", "1.2.4.1"]),
        ("", {"PatientID": "P2"}, ["1.2.2.0"]),
        ("9", {}, []),
    ],
)
def test_series_are_found_in_a_study_and_across(
    search: SqlSearch, study: str, parameters: dict[str, str], found: list[str]
) -> None:
    assert uids(asked(search, Level.SERIES, study, **parameters)) == found


def test_instances_are_found_by_number_and_by_any_attribute(search: SqlSearch) -> None:
    assert uids(asked(search, Level.INSTANCE, "1.2.1", "1.2.1.0")) == ["1.2.1.0.1", "1.2.1.0.2"]
    assert uids(asked(search, Level.INSTANCE, "1.2.1", InstanceNumber="2", Modality="SR")) == ["1.2.1.2.2"]
    assert uids(asked(search, Level.INSTANCE, InstitutionName="*1.2.2")) == ["1.2.2.0.1", "1.2.2.0.2"]


def told(page: Page) -> dict[str, object]:
    members = page.matches[0].members
    assert [tag for tag, _ in members] == sorted(tag for tag, _ in members)
    kept = b"\n".join(member for _, member in members)
    made: dict[str, object] = json.loads(json_model.whole(kept, b"x/"))
    return made


def test_a_study_tells_its_attributes_and_counts(search: SqlSearch) -> None:
    made = told(asked(search, Level.STUDY, StudyInstanceUID="1.2.1"))
    assert made["00100010"] == {"vr": "PN", "Value": [{"Alphabetic": "Çelik^Ayşe"}]}
    assert made["00080061"] == {"vr": "CS", "Value": ["CT", "SR"]}
    assert made["00201206"] == {"vr": "IS", "Value": [3]}
    assert made["00201208"] == {"vr": "IS", "Value": [6]}
    assert "00080080" not in made
    assert "00080016" not in made


def test_more_is_told_on_demand(search: SqlSearch) -> None:
    assert "00080080" in told(asked(search, Level.SERIES, "1.2.1", includefield="InstitutionName"))
    everything = told(asked(search, Level.INSTANCE, "1.2.1", includefield="all"))
    assert {"00080080", "00280010", "7FE00010", "00100010", "00201209"} <= set(everything)


def test_a_search_across_tells_the_levels_above(search: SqlSearch) -> None:
    across = told(asked(search, Level.SERIES, PatientID="P2"))
    assert {"00100010", "0020000D", "0020000E", "00201209"} <= set(across)
    inside = told(asked(search, Level.SERIES, "1.2.2"))
    assert "00100010" not in inside


def test_pages_do_not_overlap_and_the_total_stays(search: SqlSearch) -> None:
    pages = [asked(search, Level.INSTANCE, limit="5", offset=str(offset)) for offset in (0, 5, 10)]
    found = [uid for page in pages for uid in uids(page)]
    assert len(found) == len(set(found)) == 14
    assert {page.total for page in pages} == {14}
    named = [asked(search, Level.STUDY, PatientName="*", limit="1", offset=str(at)) for at in range(4)]
    assert len({uid for page in named for uid in uids(page)}) == 4


def test_another_version_of_an_instance_takes_its_place(search: SqlSearch, database: Database) -> None:
    new = received(("1.2.1", "P9", "Neu^Nina", "20200101", "A9", ("MR",)), 0, 1)
    SqlCatalog(database).receive(
        [Received(key("other bytes"), 1, "f", new.instance, (), new.model, new.frames)]
    )
    assert uids(asked(search, Level.STUDY, PatientID="P9")) == ["1.2.1"]
    made = told(asked(search, Level.STUDY, StudyInstanceUID="1.2.1"))
    assert made["00201208"] == {"vr": "IS", "Value": [6]}
    assert made["00100010"] == {"vr": "PN", "Value": [{"Alphabetic": "Neu^Nina"}]}


def test_a_version_that_moves_to_another_study_leaves_none_behind(
    search: SqlSearch, database: Database
) -> None:
    moved = received(("1.2.9", "P9", "Neu^Nina", "20200101", "A9", ("MR",)), 0, 1)
    both: Sequence[Received] = [
        Received(key(f"moved {number}"), 1, "f", _renamed(moved, f"1.2.2.0.{number}"), (), moved.model)
        for number in (1, 2)
    ]
    SqlCatalog(database).receive(both)
    assert uids(asked(search, Level.STUDY, StudyInstanceUID="1.2.2")) == []
    assert uids(asked(search, Level.SERIES, "1.2.2")) == []
    assert asked(search, Level.STUDY).total == 4


def _renamed(one: Received, uid: str) -> instance.Instance:
    fields = {name: getattr(one.instance, name) for name in one.instance.__dataclass_fields__}
    return instance.Instance(**(fields | {"instance_uid": uid}))


def test_entries_bear_model_and_frames_in_order(search: SqlSearch) -> None:
    entries = search.entries(Zone.RAW, "1.2.1")
    assert [one.instance_uid for one in entries] == [
        f"1.2.1.{series}.{number}" for series in range(3) for number in (1, 2)
    ]
    (one,) = search.entries(Zone.RAW, "1.2.1", "1.2.1.0", "1.2.1.0.2")
    assert json.loads(json_model.whole(one.model, b"x/"))["00080018"]["Value"] == ["1.2.1.0.2"]
    assert unpacked(one.frames).count == 1
    assert search.entries(Zone.RAW, "1.2.1", "1.2.2.0") == []
    assert search.entries(Zone.QUARANTINE, "1.2.1") == ()


def test_each_zone_finds_its_own_only(search: SqlSearch, database: Database) -> None:
    clean = received(("2.25.1", "ANON-1", "REMOVED", "20200101", "", ("CT",)), 0, 1)
    SqlCatalog(database).deliver(
        [Delivered(key("deid"), key("1.2.1.0.1"), 9, clean.instance, "sum", clean.model, clean.frames)]
    )
    query, _ = read(Level.STUDY, [])
    assert uids(search.find(Zone.DEID, query)) == ["2.25.1"]
    assert asked(search, Level.STUDY).total == 4
    assert search.find(Zone.QUARANTINE, query) == Page((), 0)
