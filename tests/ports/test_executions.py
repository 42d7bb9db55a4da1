"""What has become of the objects: SQL on one machine, DynamoDB and Step Functions on AWS, told alike."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from scanward.adapters.local.sql_catalog import SqlCatalog
from scanward.adapters.local.sql_engine import open_database
from scanward.adapters.local.sql_migrate import migrate
from scanward.errors import BadInput, Fault, NotFound, ScanwardError
from scanward.ports.executions import Execution, Stage, Status
from tests.lambda_start.stack import running
from tests.ports.lines import OUTAGE, SIZE, AwsLine, End, Line, SqlLine
from tests.ports.postgresql import Server
from tests.ports.values import refusal

pytestmark = pytest.mark.integration

FAULT = Fault("type1-missing", "missing", "(0008,0060)", 12, "PS3.3 C.7", "reject")
OWN_FAULT = End(Status.FAILED, "Validation failed", "1 fault", (FAULT,))


@pytest.fixture(params=["sqlite", "postgresql", "dynamodb"])
def line(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    if request.param == "dynamodb":
        with running() as stack:
            yield AwsLine(stack)
        return
    url = ""
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgresql")
        url = server.new_database()
    database = open_database(tmp_path_factory.mktemp("site"), url)
    migrate(database)
    yield SqlLine(database)
    database.close()


def _ids(found: list[Execution]) -> list[str]:
    return [one.id for one in found]


def test_what_arrived_is_running_and_says_what_it_is(line: Line) -> None:
    (execution_id,) = line.arrive(1)
    found = line.executions.describe(execution_id)
    assert (found.id, found.status, found.size) == (execution_id, Status.RUNNING, SIZE)
    assert found.name.endswith("file-0.dcm")
    assert (found.stopped, found.error, found.dead_letter, found.stages) == (None, "", False, ())


def test_an_end_keeps_all_that_was_told_of_it(line: Line) -> None:
    (execution_id,) = line.arrive(1)
    stages = (Stage("validate", Status.FAILED, 0.25),)
    line.end(execution_id, End(Status.FAILED, "Validation failed", "1 fault", (FAULT,), stages))
    found = line.executions.describe(execution_id)
    assert (found.status, found.error, found.cause) == (Status.FAILED, "Validation failed", "1 fault")
    assert (found.faults, found.stages, found.dead_letter) == ((FAULT,), stages, False)
    assert found.stopped
    assert found.stopped >= found.started


def test_a_success_names_its_output(line: Line) -> None:
    (execution_id,) = line.arrive(1)
    line.end(execution_id, End())
    found = line.executions.describe(execution_id)
    assert found.status is Status.SUCCEEDED
    assert (bool(found.deid_key), found.deid_study_uid) == (True, "2.25.1")


def test_listing_pages_from_the_newest_without_gap_or_repeat(line: Line) -> None:
    ids = line.arrive(25)
    for one in ids[::3]:
        line.end(one, End())
    pages: list[Execution] = []
    after = ""
    while page := line.executions.list(limit=10, after=after):
        assert len(page) <= 10
        pages += page
        after = page[-1].id
    assert _ids(pages) == ids[::-1]


def test_paging_goes_on_from_a_row_whose_status_changed_meanwhile(line: Line) -> None:
    ids = line.arrive(6)
    first = line.executions.list(Status.RUNNING, limit=3)
    line.end(first[-1].id, End())
    rest = line.executions.list(Status.RUNNING, limit=10, after=first[-1].id)
    assert _ids(first) + _ids(rest) == ids[::-1]


def test_a_list_can_be_of_one_status(line: Line) -> None:
    ids = line.arrive(5)
    line.end(ids[0], End())
    line.end(ids[1], OWN_FAULT)
    line.end(ids[2], OUTAGE)
    line.end(ids[3], End(Status.TIMED_OUT, "Timed out"))
    expected = {
        Status.SUCCEEDED: [ids[0]],
        Status.FAILED: [ids[2], ids[1]],
        Status.TIMED_OUT: [ids[3]],
        Status.RUNNING: [ids[4]],
    }
    assert {status: _ids(line.executions.list(status)) for status in Status} == expected
    assert _ids(line.executions.list(Status.FAILED, limit=1, after=ids[2])) == [ids[1]]


def test_what_failed_by_the_surroundings_is_a_dead_letter_and_the_objects_own_fault_is_not(
    line: Line,
) -> None:
    ids = line.arrive(4)
    line.end(ids[0], OWN_FAULT)
    line.end(ids[1], OUTAGE)
    line.end(ids[2], End())
    (found,) = line.executions.list(dead_letter=True)
    assert (found.id, found.status, found.dead_letter) == (ids[1], Status.FAILED, True)
    assert (found.error, found.cause) == (OUTAGE.error, OUTAGE.cause)
    assert _ids(line.executions.list(Status.FAILED, dead_letter=True)) == [ids[1]]
    assert line.executions.list(Status.SUCCEEDED, dead_letter=True) == []
    assert line.executions.list(dead_letter=True, after=ids[1]) == []


@pytest.mark.parametrize("end", [OUTAGE, OWN_FAULT, End(Status.TIMED_OUT, "Timed out")])
def test_what_ended_badly_can_be_redriven_and_is_as_new(line: Line, end: End) -> None:
    (execution_id,) = line.arrive(1)
    line.end(execution_id, end)
    anew = line.executions.redrive(execution_id)
    assert (anew.id, anew.status, anew.dead_letter) == (execution_id, Status.RUNNING, False)
    assert (anew.error, anew.cause, anew.faults, anew.stages, anew.stopped) == ("", "", (), (), None)
    line.end(execution_id, End())
    assert line.executions.describe(execution_id).status is Status.SUCCEEDED


def test_it_can_be_redriven_as_often_as_it_fails(line: Line) -> None:
    (execution_id,) = line.arrive(1)
    for _ in range(3):
        line.end(execution_id, OWN_FAULT)
        line.executions.redrive(execution_id)
    line.end(execution_id, End())
    assert _ids(line.executions.list(Status.SUCCEEDED)) == [execution_id]


def test_only_what_ended_badly_can_be_redriven(line: Line) -> None:
    (execution_id,) = line.arrive(1)
    with pytest.raises(BadInput):
        line.executions.redrive(execution_id)
    line.end(execution_id, End())
    with pytest.raises(BadInput):
        line.executions.redrive(execution_id)
    with pytest.raises(NotFound):
        line.executions.redrive("nothing")
    with pytest.raises(NotFound):
        line.executions.describe("nothing")


def test_of_two_that_redrive_at_once_one_does(line: Line) -> None:
    (execution_id,) = line.arrive(1)
    line.end(execution_id, OUTAGE)
    refused: list[ScanwardError] = []
    together = threading.Barrier(4)

    def redrive() -> None:
        together.wait(30)
        try:
            line.executions.redrive(execution_id)
        except BadInput as error:
            refused.append(error)

    threads = [threading.Thread(target=redrive) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    found = line.executions.describe(execution_id)
    assert found.status is Status.RUNNING
    if isinstance(line, AwsLine):
        # Whoever finds the row between another's beginning and mark starts the same name, which is one run.
        assert line.stack.names() == [execution_id, f"{execution_id}-2"]
        assert found.attempts == 2
    else:
        assert len(refused) == 3


def test_statistics_count_outcomes_stages_and_bytes(line: Line) -> None:
    ids = line.arrive(6)
    stages = (Stage("store", Status.SUCCEEDED, 0.5),)
    for one in ids[:2]:
        line.end(one, End(stages=stages))
    line.end(ids[2], OWN_FAULT)
    line.end(ids[3], OUTAGE)
    found = line.executions.statistics()
    assert found["objects_succeeded"] == 2
    assert found["objects_running"] == found["queue_depth"] == 2
    assert (found["objects_failed"], found["objects_timed_out"], found["dead_letters"]) == (2, 0, 1)
    assert found["stage_seconds_store"] == pytest.approx(1.0)
    assert found["stage_count_store"] == 2
    # On AWS bytes are counted when they are through, on one machine when they are received.
    assert found["bytes"] == (2 if isinstance(line, AwsLine) else 6) * SIZE
    assert found["objects_refused"] == 0


def test_statistics_count_what_was_refused_once(line: Line) -> None:
    if isinstance(line, SqlLine):
        catalog = SqlCatalog(line.database)
        for _ in range(2):
            catalog.receive([], [refusal(1), refusal(2)])
    elif isinstance(line, AwsLine):
        starter = line.stack.starter()
        for _ in range(2):
            for number in (1, 2):
                reference = line.stack.put(f"bad-{number}.txt", b"no image")
                # A new version is a new object; the same one again is not.
                starter.executions.ledger.ignore(reference, f"bad-{number}", "not-dicom")
    assert line.executions.statistics()["objects_refused"] == 2
    assert line.executions.list() == []
