"""The executions table under contention, with pages, and in any order of what may happen to a row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from scanward.adapters.aws.executions_ledger import Ledger
from scanward.adapters.aws.executions_rows import Ended, Shelf
from scanward.adapters.aws.executions_table import ExecutionsTable
from scanward.adapters.aws.naming import attempt_name
from scanward.errors import Misconfigured, NotFound, Unavailable
from scanward.ports.executions import Stage, Status
from scanward.receive.s3_event import Reference
from tests.lambda_start.stack import TABLE, Stack

pytestmark = pytest.mark.integration

REFERENCE = Reference("raw", "a.dcm", "v", "e", 10, "01")
NOW = datetime(2026, 11, 25, tzinfo=UTC)


class _Contended:
    """DynamoDB whose transactions meet others' `times` times."""

    def __init__(self, real: Any, reason: str, times: int) -> None:  # noqa: ANN401 - a client
        self._real, self._reason, self._times = real, reason, times

    def transact_write_items(self, **given: object) -> object:
        self._times -= 1
        if self._times >= 0:
            answer: Any = {
                "Error": {"Code": "TransactionCanceledException", "Message": "a.dcm"},
                "CancellationReasons": [{"Code": "None"}, {"Code": self._reason}],
            }
            raise ClientError(answer, "TransactWriteItems")
        return self._real.transact_write_items(**given)

    def batch_get_item(self, **given: dict[str, object]) -> object:
        return {"Responses": {}, "UnprocessedKeys": given["RequestItems"]}

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


class _Paged:
    """DynamoDB that answers two rows a page."""

    def __init__(self, real: Any) -> None:  # noqa: ANN401 - a client
        self._real = real

    def query(self, **given: Any) -> object:  # noqa: ANN401 - a call's parameters
        return self._real.query(**given | {"Limit": 2})


def _ended(number: int = 0, attempt: int = 1, status: Status = Status.SUCCEEDED) -> Ended:
    stages = (Stage("store", Status.SUCCEEDED, 0.25), Stage("store", Status.SUCCEEDED, 0.25))
    return Ended(f"{number:040x}", status, NOW, attempt, stages=stages, reference=REFERENCE)


def test_an_end_is_recorded_though_others_write_the_same_totals(stack: Stack) -> None:
    contended: Any = _Contended(stack.clients.dynamodb, "TransactionConflict", times=3)
    ledger = Ledger(ExecutionsTable(TABLE, contended))
    assert ledger.finish(_ended())
    assert not ledger.finish(_ended())
    totals = ExecutionsTable(TABLE, stack.clients.dynamodb).totals()
    assert totals == {
        "objects_succeeded": 1.0,
        "bytes": 10.0,
        "stage_seconds_store": 0.5,
        "stage_count_store": 2.0,
    }


@pytest.mark.parametrize(
    ("reason", "error"), [("ThrottlingError", Unavailable), ("ValidationError", Misconfigured)]
)
def test_a_table_that_stays_busy_or_refuses_says_so(
    stack: Stack, reason: str, error: type[Exception]
) -> None:
    busy: Any = _Contended(stack.clients.dynamodb, reason, times=100)
    with pytest.raises(error) as told:
        Ledger(ExecutionsTable(TABLE, busy)).finish(_ended())
    assert "a.dcm" not in str(told.value)
    with pytest.raises(Unavailable):
        ExecutionsTable(TABLE, busy).totals()


def test_all_pages_of_a_shelf_are_read_and_counted(stack: Stack) -> None:
    ledger = Ledger(ExecutionsTable(TABLE, stack.clients.dynamodb))
    for number in range(7):
        assert ledger.begin(REFERENCE, f"{number:040x}")
    paged: Any = _Paged(stack.clients.dynamodb)
    table = ExecutionsTable(TABLE, paged)
    rows = table.page(Shelf.RUNNING, "", 6)
    assert [row["id"] for row in rows] == [f"{number:040x}" for number in range(6, 0, -1)]
    assert [row["id"] for row in table.page(Shelf.RUNNING, str(rows[-1]["arrived"]), 9)] == [f"{0:040x}"]
    assert table.count(Shelf.RUNNING) == 7
    assert table.count(Shelf.FAILED) == 0


def test_the_running_totals_are_no_execution(stack: Stack) -> None:
    table = ExecutionsTable(TABLE, stack.clients.dynamodb)
    Ledger(table).finish(_ended())
    with pytest.raises(NotFound):
        table.get("totals-0")
    with pytest.raises(Misconfigured, match="SCANWARD_AWS_EXECUTIONS_TABLE"):
        ExecutionsTable("")


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["begin", "mark", "succeed", "fail", "give up", "redrive", "ignore"]),
        st.integers(1, 3),
    ),
    max_size=14,
)


@example(steps=[("ignore", 1), ("succeed", 1), ("begin", 1)])
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS)
def test_whatever_happens_to_a_row_in_any_order_the_newest_end_stands(
    stack: Stack, steps: list[tuple[str, int]]
) -> None:
    table = ExecutionsTable(TABLE, stack.clients.dynamodb)
    ledger = Ledger(table)
    stack.clients.dynamodb.delete_item(TableName=TABLE, Key={"id": {"S": f"{1:040x}"}})
    ends: dict[int, Status] = {}
    begun = 0
    for step, attempt in steps:
        before = _row(table)
        _take(ledger, step, attempt, before)
        after = _row(table)
        if step == "begin" and before.get("shelf") in {None, "IGNORED"}:
            begun = 1
        if step == "redrive" and after.get("attempts") != before.get("attempts"):
            begun = int(after["attempts"])
        if step in {"succeed", "fail"}:
            # The first end that is told of an attempt is its end; Step Functions never tells two.
            ends.setdefault(attempt, Status.SUCCEEDED if step == "succeed" else Status.FAILED)
            begun = max(begun, attempt)
        if after and after["shelf"] != "IGNORED":
            assert after["attempts"] == begun
            if begun in ends:
                assert after["status"] == ends[begun]
            assert ("stopped" in after) == (after["status"] != "RUNNING")
            expected = "RUNNING" if after["status"] == "RUNNING" else after["status"]
            assert after["shelf"] == expected or after["shelf"] == "DEAD"


def _row(table: ExecutionsTable) -> dict[str, Any]:
    try:
        return dict(table.get(f"{1:040x}"))
    except NotFound:
        return {}


def _take(ledger: Ledger, step: str, attempt: int, row: dict[str, Any]) -> None:
    name = f"{1:040x}"
    running = "status" in row
    if step == "begin":
        ledger.begin(REFERENCE, name)
    elif step == "ignore":
        ledger.ignore(REFERENCE, name, "not-dicom")
    elif step == "mark" and running:
        ledger.mark(attempt_name(name, attempt))
    elif step == "succeed":
        ledger.finish(_ended(1, attempt))
    elif step == "fail":
        ledger.finish(_ended(1, attempt, Status.FAILED))
    elif step == "give up" and running:
        ledger.give_up(name, attempt)
    elif step == "redrive" and row.get("status") == "FAILED":
        ledger.begin_anew(row)


def test_the_order_of_arrival_never_changes(stack: Stack) -> None:
    table = ExecutionsTable(TABLE, stack.clients.dynamodb)
    ledger = Ledger(table)
    ledger.begin(REFERENCE, f"{1:040x}")
    arrived = _row(table)["arrived"]
    late = _ended(1, status=Status.FAILED)
    ledger.finish(late)
    ledger.begin_anew(ledger.row(f"{1:040x}"))
    ledger.finish(_ended(1, attempt=2))
    assert _row(table)["arrived"] == arrived
    assert _row(table)["arrived"] < f"{(datetime.now(UTC) + timedelta(seconds=1)).isoformat()}"
