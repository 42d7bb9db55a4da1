from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from scanward.adapters.local.sql_catalog import SqlCatalog
from scanward.adapters.local.sql_engine import Database
from scanward.adapters.local.sql_executions import SqlExecutions
from scanward.errors import BadInput, Fault, NotFound
from scanward.ports.executions import Claim, Execution, Outcome, Stage, Status
from tests.ports.values import key, received, refusal

pytestmark = pytest.mark.integration


@pytest.fixture
def executions(database: Database) -> SqlExecutions:
    return SqlExecutions(database, max_attempts=3)


def _fill(database: Database, count: int) -> list[str]:
    receipts = SqlCatalog(database).receive([received(number) for number in range(count)])
    return [receipt.execution_id for receipt in receipts]


def _succeeded(claim: Claim) -> Outcome:
    return Outcome(claim, Status.SUCCEEDED, deid_key=key("out"), deid_study_uid="2.25.1")


def _statuses(executions: SqlExecutions) -> list[Status]:
    return [execution.status for execution in executions.list()]


def test_claims_come_in_order_of_arrival_with_their_attempt_counted(
    executions: SqlExecutions, database: Database
) -> None:
    ids = _fill(database, 5)
    claims = executions.claim("w", 3, 30)
    assert [claim.execution_id for claim in claims] == ids[:3]
    assert [claim.attempt for claim in claims] == [1, 1, 1]
    assert executions.describe(ids[0]).attempts == 1
    assert executions.describe(ids[4]).attempts == 0


def test_what_is_leased_is_not_given_to_another(executions: SqlExecutions, database: Database) -> None:
    _fill(database, 3)
    assert len(executions.claim("a", 20, 30)) == 3
    assert executions.claim("b", 20, 30) == []


def test_many_workers_share_the_work_and_none_is_done_twice(
    executions: SqlExecutions, database: Database
) -> None:
    ids = _fill(database, 120)
    taken: list[str] = []

    def work() -> None:
        while claims := executions.claim("w", 7, 30):
            taken.extend(claim.execution_id for claim in claims)
            assert executions.finish([_succeeded(claim) for claim in claims]) == len(claims)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # A worker that finds all free rows locked by others stops early; what it left, another took.
    work()
    assert sorted(taken) == sorted(ids)
    assert set(_statuses(executions)) == {Status.SUCCEEDED}


def test_an_outcome_keeps_all_its_fields(executions: SqlExecutions, database: Database) -> None:
    (execution_id,) = _fill(database, 1)
    (claim,) = executions.claim("w", 1, 30)
    fault = Fault("type1-missing", "missing", "(0008,0060)", 12, "PS3.3 C.7", "reject")
    stages = (Stage("validate", Status.FAILED, 0.25),)
    outcome = Outcome(claim, Status.FAILED, "Validation failed", "1 fault", (fault,), stages)
    assert executions.finish([outcome]) == 1
    found = executions.describe(execution_id)
    assert (found.status, found.error, found.cause) == (Status.FAILED, "Validation failed", "1 fault")
    assert (found.faults, found.stages, found.dead_letter) == ((fault,), stages, False)
    assert found.stopped
    assert found.stopped >= found.started


def test_a_finish_after_the_lease_was_lost_is_dropped(executions: SqlExecutions, database: Database) -> None:
    _fill(database, 1)
    (late,) = executions.claim("slow", 1, -1)
    (again,) = executions.claim("other", 1, 30)
    assert executions.finish([_succeeded(late)]) == 0
    executions.renew([late], 500)
    executions.release([late])
    assert _statuses(executions) == [Status.RUNNING]
    assert executions.finish([_succeeded(again)]) == 1
    assert executions.finish([_succeeded(again)]) == 0
    assert _statuses(executions) == [Status.SUCCEEDED]


def test_a_renewed_lease_holds(executions: SqlExecutions, database: Database) -> None:
    _fill(database, 1)
    claims = executions.claim("w", 1, 0.2)
    executions.renew(claims, 30)
    time.sleep(0.25)
    assert executions.claim("other", 1, 30) == []
    assert executions.finish([_succeeded(claims[0])]) == 1


def test_claims_of_a_dead_worker_are_retried_one_by_one(
    executions: SqlExecutions, database: Database
) -> None:
    ids = _fill(database, 4)
    assert len(executions.claim("dead", 3, -1)) == 3
    seen = []
    for _ in range(3):
        (claim,) = executions.claim("w", 20, 30)
        assert claim.attempt == 1
        seen.append(claim.execution_id)
        executions.finish([_succeeded(claim)])
    assert sorted(seen) == ids[:3]
    assert [claim.execution_id for claim in executions.claim("w", 20, 30)] == ids[3:]


def test_a_poisonous_object_is_a_dead_letter_after_three_and_charges_nobody_else(
    executions: SqlExecutions, database: Database
) -> None:
    ids = _fill(database, 10)
    poison = ids[4]
    for _ in range(40):
        claims = executions.claim("w", 20, 30)
        if not claims:
            break
        if poison in {claim.execution_id for claim in claims}:
            executions.renew(claims, 0)  # its worker died with it
        else:
            executions.finish([_succeeded(claim) for claim in claims])
    found = {execution.id: execution for execution in executions.list()}
    assert found[poison].status is Status.FAILED
    assert found[poison].dead_letter
    assert found[poison].attempts == 3
    assert found[poison].error == "Worker died"
    assert {found[one].status for one in ids if one != poison} == {Status.SUCCEEDED}
    assert [one.id for one in executions.list(dead_letter=True)] == [poison]


def test_a_start_takes_up_what_this_hosts_dead_workers_held(
    executions: SqlExecutions, database: Database
) -> None:
    _fill(database, 2)
    executions.lapse_all("here")
    executions.claim("here-1", 1, 600)
    executions.claim("there-1", 1, 600)
    assert executions.claim("here-2", 20, 600) == []
    executions.lapse_all("here")
    assert len(executions.claim("here-2", 20, 600)) == 1
    assert executions.claim("here-2", 20, 600) == []


def test_what_is_given_back_is_uncounted_and_free_at_once(
    executions: SqlExecutions, database: Database
) -> None:
    _fill(database, 3)
    executions.release(executions.claim("w", 3, 30))
    again = executions.claim("w", 3, 30)
    assert [claim.attempt for claim in again] == [1, 1, 1]


def test_a_transient_failure_waits_its_pause(executions: SqlExecutions, database: Database) -> None:
    (execution_id,) = _fill(database, 1)
    (claim,) = executions.claim("w", 1, 30)
    executions.finish([Outcome(claim, Status.RUNNING, "Service unavailable", "EIO", retry_after=30)])
    assert executions.claim("w", 1, 30) == []
    assert executions.describe(execution_id).error == "Service unavailable"


def test_three_transient_failures_are_a_dead_letter_that_can_be_redriven(
    executions: SqlExecutions, database: Database
) -> None:
    (execution_id,) = _fill(database, 1)
    for attempt in (1, 2, 3):
        (claim,) = executions.claim("w", 1, 30)
        assert claim.attempt == attempt
        executions.finish([Outcome(claim, Status.RUNNING, "Service unavailable", "EIO", retry_after=0)])
    dead = executions.describe(execution_id)
    assert (dead.status, dead.dead_letter, dead.attempts) == (Status.FAILED, True, 3)
    anew = executions.redrive(execution_id)
    assert (anew.status, anew.dead_letter, anew.attempts, anew.error) == (Status.RUNNING, False, 0, "")
    assert anew.stopped is None
    (claim,) = executions.claim("w", 1, 30)
    executions.finish([_succeeded(claim)])
    assert executions.describe(execution_id).status is Status.SUCCEEDED


def test_only_what_ended_badly_can_be_redriven(executions: SqlExecutions, database: Database) -> None:
    (execution_id,) = _fill(database, 1)
    with pytest.raises(BadInput):
        executions.redrive(execution_id)
    (claim,) = executions.claim("w", 1, 30)
    executions.finish([_succeeded(claim)])
    with pytest.raises(BadInput):
        executions.redrive(execution_id)
    with pytest.raises(NotFound):
        executions.redrive("nothing")
    with pytest.raises(NotFound):
        executions.describe("nothing")


def test_listing_pages_from_the_newest_without_gap_or_repeat(
    executions: SqlExecutions, database: Database
) -> None:
    ids = _fill(database, 25)
    pages: list[Execution] = []
    after = ""
    while page := executions.list(limit=10, after=after):
        pages += page
        after = page[-1].id
    assert [execution.id for execution in pages] == sorted(ids, reverse=True)
    assert executions.list(Status.SUCCEEDED) == []


def test_statistics_count_outcomes_stages_and_bytes(executions: SqlExecutions, database: Database) -> None:
    _fill(database, 4)
    catalog = SqlCatalog(database)
    for _ in range(2):
        catalog.receive([], [refusal(1), refusal(2)])
    catalog.receive([], [replace(refusal(), key=received(1).key)])  # put there by the line
    claims = executions.claim("w", 2, 30)
    stages = (Stage("store", Status.SUCCEEDED, 0.5),)
    executions.finish([Outcome(claim, Status.SUCCEEDED, stages=stages) for claim in claims])
    found = executions.statistics()
    assert found["objects_succeeded"] == 2
    assert found["objects_running"] == found["queue_depth"] == 2
    assert found["objects_failed"] == found["objects_timed_out"] == found["dead_letters"] == 0
    assert found["objects_refused"] == 2
    assert found["bytes"] == 400
    assert found["stage_seconds_store"] == pytest.approx(1.0)
    assert found["stage_count_store"] == 2
