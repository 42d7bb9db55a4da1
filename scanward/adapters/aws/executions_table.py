"""The executions table's few verbs; every write has its condition, and no read is a scan."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from scanward.adapters.aws.clients import client
from scanward.adapters.aws.executions_rows import INDEX, Row, Shelf, Value, plain, typed
from scanward.adapters.aws.failures import code_of, translated
from scanward.errors import Misconfigured, NotFound, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_WHAT = "executions table"
_NAME = re.compile(r"#([a-z_]+)")
_SHARDS = "0123456789abcdef"
_TRIES = 6
_PAUSE = 0.05
_MILLI = 1000  # totals are whole numbers: seconds are kept as milliseconds
_TOTALS = "totals-"
_PASSING = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})


@dataclass(frozen=True, slots=True)
class Change:
    """New values of a row, attributes to take away, and the condition under which both hold.

    `first` are values that a row gets only where it has none. The condition names attributes as `#status`
    and the values of `given` as `:status`.
    """

    values: Mapping[str, Value]
    condition: str
    given: Mapping[str, Value] = field(default_factory=dict)
    removed: Sequence[str] = ()
    first: Mapping[str, Value] = field(default_factory=dict)

    def request(self, table: str, row_id: str) -> dict[str, Any]:
        """Return it as DynamoDB's UpdateItem takes it."""
        sets = [f"#{name} = :new_{name}" for name in self.values]
        sets += [f"#{name} = if_not_exists(#{name}, :first_{name})" for name in self.first]
        update = f"SET {', '.join(sets)}" if sets else ""
        if self.removed:
            update += f" REMOVE {', '.join(f'#{name}' for name in self.removed)}"
        values = {f":new_{name}": typed(value) for name, value in self.values.items()}
        values |= {f":first_{name}": typed(value) for name, value in self.first.items()}
        values |= {f":{name}": typed(value) for name, value in self.given.items()}
        return {
            "TableName": table,
            "Key": {"id": typed(row_id)},
            "UpdateExpression": update,
            "ConditionExpression": self.condition,
            "ExpressionAttributeNames": _names(update, self.condition),
            "ExpressionAttributeValues": values,
        }


class ExecutionsTable:
    """Rows by id and by shelf."""

    def __init__(self, name: str, dynamodb: DynamoDBClient | None = None) -> None:
        """Use a table that is there. Raises Misconfigured without a name."""
        if not name:
            raise Misconfigured("SCANWARD_AWS_EXECUTIONS_TABLE is not set; it names the table of executions.")
        self._name = name
        self._dynamodb = dynamodb or client("dynamodb")

    def get(self, row_id: str) -> Row:
        """Return a row as it is now. Raises NotFound."""
        with translated(_WHAT):
            answer = self._dynamodb.get_item(
                TableName=self._name, Key={"id": typed(row_id)}, ConsistentRead=True
            )
        if "Item" not in answer or row_id.startswith(_TOTALS):
            raise NotFound("There is no such execution.")
        return plain(answer["Item"])

    def put(self, row: Row, condition: str, given: Mapping[str, Value] | None = None) -> bool:
        """Write a whole row; return whether the condition held."""
        request: dict[str, Any] = {
            "TableName": self._name,
            "Item": {name: typed(value) for name, value in row.items()},
            "ConditionExpression": condition,
            "ExpressionAttributeNames": _names(condition),
        }
        if given:
            request["ExpressionAttributeValues"] = {f":{name}": typed(value) for name, value in given.items()}
        with translated(_WHAT):
            return _held(lambda: self._dynamodb.put_item(**request))

    def change(self, row_id: str, change: Change) -> bool:
        """Change a row; return whether the condition held."""
        request = change.request(self._name, row_id)
        with translated(_WHAT):
            return _held(lambda: self._dynamodb.update_item(**request))

    def change_and_count(self, row_id: str, change: Change, amounts: Mapping[str, float]) -> bool:
        """Change a row and add to the totals, both or neither; return whether the condition held."""
        if not amounts:
            return self.change(row_id, change)
        updates: list[Any] = [
            {"Update": change.request(self._name, row_id)},
            {"Update": self._addition(row_id, amounts)},
        ]
        for attempt in range(_TRIES):
            try:
                with translated(_WHAT):
                    return _held(lambda: self._dynamodb.transact_write_items(TransactItems=updates))
            except _Conflict:
                # Another writer of the same totals was quicker; it is over in milliseconds.
                time.sleep(random.uniform(0, _PAUSE * 2**attempt))  # noqa: S311 - jitter, no secret
        raise Unavailable("The executions table is too busy; try again.")

    def page(self, shelf: Shelf, before: str, limit: int) -> list[Row]:
        """Return rows of a shelf, the newest first, that came before `before` ("": from the newest)."""
        condition = "#shelf = :shelf" + (" AND #arrived < :before" if before else "")
        values = {":shelf": typed(shelf.value)} | ({":before": typed(before)} if before else {})
        rows: list[Row] = []
        request: dict[str, Any] = {
            "TableName": self._name,
            "IndexName": INDEX,
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": _names(condition),
            "ExpressionAttributeValues": values,
            "ScanIndexForward": False,
        }
        while len(rows) < limit:
            with translated(_WHAT):
                answer = self._dynamodb.query(**request, Limit=limit - len(rows))
            rows += [plain(item) for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                break
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        return rows

    def count(self, shelf: Shelf) -> int:
        """Return how many rows stand on a shelf."""
        condition, total = "#shelf = :shelf", 0
        request: dict[str, Any] = {
            "TableName": self._name,
            "IndexName": INDEX,
            "Select": "COUNT",
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": _names(condition),
            "ExpressionAttributeValues": {":shelf": typed(shelf.value)},
        }
        while True:
            with translated(_WHAT):
                answer = self._dynamodb.query(**request)
            total += answer["Count"]
            if "LastEvaluatedKey" not in answer:
                return total
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def totals(self) -> dict[str, float]:
        """Return the running totals, whatever the length of the history, in one request."""
        keys = [{"id": typed(f"{_TOTALS}{shard}")} for shard in _SHARDS]
        with translated(_WHAT):
            answer = self._dynamodb.batch_get_item(RequestItems={self._name: {"Keys": keys}})
        if answer.get("UnprocessedKeys"):
            raise Unavailable("The executions table is too busy; try again.")
        sums: dict[str, float] = {}
        for item in answer["Responses"].get(self._name, []):
            for name, value in plain(item).items():
                if name != "id":
                    sums[name] = sums.get(name, 0.0) + int(value) / _MILLI
        return sums

    def _addition(self, row_id: str, amounts: Mapping[str, float]) -> dict[str, Any]:
        """Return the update of one shard of the totals; sixteen of them, or all writers would meet in one."""
        shard = row_id[-1:] if row_id[-1:] in _SHARDS else "0"
        names = {f"#n{at}": name for at, name in enumerate(amounts)}
        return {
            "TableName": self._name,
            "Key": {"id": typed(f"{_TOTALS}{shard}")},
            "UpdateExpression": "ADD " + ", ".join(f"#n{at} :n{at}" for at in range(len(amounts))),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {
                f":n{at}": typed(round(amount * _MILLI)) for at, amount in enumerate(amounts.values())
            },
        }


class _Conflict(Exception):
    """Two transactions met; DynamoDB let one through."""


def _held(write: Any) -> bool:  # noqa: ANN401 - one of boto3's calls, whose answer is not needed
    try:
        write()
    except ClientError as error:
        code = code_of(error)
        if code == "ConditionalCheckFailedException":
            return False
        if code != "TransactionCanceledException":
            raise
        reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
        if "ConditionalCheckFailed" in reasons:
            return False
        if reasons & _PASSING:
            raise _Conflict from None
        raise
    return True


def _names(*expressions: str) -> dict[str, str]:
    """Return the placeholders of all attributes: many of our words are reserved in DynamoDB."""
    return {f"#{name}": name for expression in expressions for name in _NAME.findall(expression)}
