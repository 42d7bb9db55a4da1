"""The work of the line: leased to workers on one machine, sent through SQS on AWS."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from scanward.adapters.aws.executions import DynamoExecutions
from scanward.adapters.aws.executions_runs import Runs
from scanward.adapters.aws.executions_table import ExecutionsTable
from scanward.adapters.aws.queue import SqsQueue
from scanward.adapters.local.sql_catalog import SqlCatalog
from scanward.adapters.local.sql_engine import Database
from scanward.adapters.local.sql_executions import SqlExecutions
from scanward.errors import Misconfigured, NotFound, Unavailable
from scanward.ports.executions import Claim, Outcome, Status
from scanward.receive.s3_event import Reference
from tests.lambda_start.stack import TABLE, Stack, running
from tests.ports.lines import OUTAGE, AwsLine
from tests.ports.values import key, received

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


@pytest.fixture
def stack() -> Iterator[Stack]:
    with running() as made:
        yield made


def _letter(stack: Stack, **body: object) -> str:
    """Put a message where SQS puts what failed three times; return its id in the dead-letter list."""
    sent = stack.clients.sqs.send_message(QueueUrl=stack.dead_letter_url, MessageBody=json.dumps(body))
    return f"sqs-{sent['MessageId']}"


def _waiting(stack: Stack) -> list[dict[str, object]]:
    found = stack.clients.sqs.receive_message(QueueUrl=stack.queue_url, MaxNumberOfMessages=10)
    return [json.loads(one["Body"]) for one in found.get("Messages", [])]


def test_references_are_sent_to_the_starter_as_they_are(stack: Stack) -> None:
    references = [Reference("raw", f"{number}.dcm", "v", "e", 5, "01") for number in range(12)]
    stack.queue().send(references)
    assert stack.queue().depths() == (12, 0)
    sent = _waiting(stack) + _waiting(stack)
    assert sorted(str(one) for one in sent) == sorted(str({"reference": one.as_json()}) for one in references)


def test_dead_letters_are_listed_with_the_executions_that_were_given_up(stack: Stack) -> None:
    line = AwsLine(stack)
    (execution_id,) = line.arrive(1)
    line.end(execution_id, OUTAGE)
    event = {"key": "patient1/a+b%2Bc.dcm", "size": 7}
    s3 = _letter(stack, Records=[{"s3": {"bucket": {"name": "raw"}, "object": event}}])
    ours = _letter(stack, reference={"bucket": "raw", "key": "b.dcm", "size": -1})
    poison = _letter(stack, nothing=True)
    for _ in range(2):  # a look takes nothing away
        found = {one.id: one for one in line.executions.list(dead_letter=True)}
        assert set(found) == {s3, ours, poison, execution_id}
    assert (found[s3].raw_key, found[s3].name, found[s3].size) == ("patient1/a b+c.dcm", "a b+c.dcm", 7)
    assert (found[ours].raw_key, found[ours].size) == ("b.dcm", 0)
    assert (found[poison].raw_key, found[poison].size) == ("", 0)
    assert {found[one].error for one in (s3, ours, poison)} == {"Dead letter"}
    assert all(one.status is Status.FAILED and one.dead_letter for one in found.values())
    assert line.executions.describe(s3).raw_key == found[s3].raw_key
    assert line.executions.statistics()["dead_letters"] == 4


def test_dead_letters_page_before_the_executions_without_gap_or_repeat(stack: Stack) -> None:
    line = AwsLine(stack)
    ids = line.arrive(4)
    for one in ids:
        line.end(one, OUTAGE)
    letters = {_letter(stack, number=number) for number in range(12)}
    seen: list[str] = []
    after = ""
    while page := line.executions.list(dead_letter=True, limit=5, after=after):
        seen += [one.id for one in page]
        after = seen[-1]
    assert set(seen[:12]) == letters
    assert seen[12:] == ids[::-1]
    assert line.executions.list(Status.TIMED_OUT, dead_letter=True) == []


def test_a_dead_letter_goes_back_to_its_queue_and_the_others_stay(stack: Stack) -> None:
    letters = [_letter(stack, number=number) for number in range(15)]
    executions = stack.executions()
    sent = executions.redrive(letters[11])
    assert (sent.id, sent.status, sent.dead_letter) == (letters[11], Status.RUNNING, False)
    assert _waiting(stack) == [{"number": 11}]
    assert {one.id for one in executions.list(dead_letter=True)} == set(letters) - {letters[11]}
    for gone in (letters[11], "sqs-nothing"):
        with pytest.raises(NotFound):
            executions.redrive(gone)
        with pytest.raises(NotFound):
            executions.describe(gone)


def test_a_stack_whose_queues_are_not_named_has_no_dead_letters(stack: Stack) -> None:
    executions = DynamoExecutions(
        ExecutionsTable(TABLE, stack.clients.dynamodb), Runs(stack.machine, stack.clients.states)
    )
    assert executions.list(dead_letter=True) == []
    with pytest.raises(NotFound):
        executions.redrive("sqs-1")
    for given in (("", "x"), ("x", "")):
        with pytest.raises(Misconfigured, match="SCANWARD_AWS_"):
            SqsQueue(*given)


def test_a_queue_that_does_not_take_every_reference_says_so(stack: Stack) -> None:
    class Full:
        def send_message_batch(self, **given: list[dict[str, str]]) -> dict[str, object]:
            return {"Failed": [{"Id": given["Entries"][0]["Id"]}]}

    full: Any = Full()
    with pytest.raises(Unavailable):
        SqsQueue(stack.queue_url, stack.dead_letter_url, full).send([Reference("raw", "a.dcm")])
