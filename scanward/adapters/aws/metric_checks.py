"""What CloudWatch takes as a metric, checked before it is sent: its own refusals say little."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from numbers import Real
from typing import TYPE_CHECKING, Final

from scanward.errors import BadInput

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import DimensionTypeDef

UNITS: Final = frozenset({
    "Seconds", "Microseconds", "Milliseconds",
    "Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes",
    "Bits", "Kilobits", "Megabits", "Gigabits", "Terabits",
    "Percent", "Count",
    "Bytes/Second", "Kilobytes/Second", "Megabytes/Second", "Gigabytes/Second", "Terabytes/Second",
    "Bits/Second", "Kilobits/Second", "Megabits/Second", "Gigabits/Second", "Terabits/Second",
    "Count/Second", "None",
})  # fmt: skip
_NAMESPACE: Final = re.compile(r"(?!:)[0-9A-Za-z.\-_/#: ]{1,255}")
_NAME: Final = re.compile(r"(?!:)(?=.*\S)[ -~]{1,255}")
_VALUE: Final = re.compile(r"(?=.*\S)[ -~]{1,1024}")
_MOST_DIMENSIONS: Final = 30
_LARGEST: Final = 2.0**360
_OLDEST: Final = timedelta(days=14)
_NEWEST: Final = timedelta(hours=2)


def namespace(name: str) -> str:
    """Return a namespace of one's own. Raises BadInput."""
    if not isinstance(name, str) or _NAMESPACE.fullmatch(name) is None or not name.strip():
        raise BadInput(
            "A metric's namespace has 1 to 255 letters, digits, spaces and . - _ / # : (not first a colon)."
        )
    if name.startswith("AWS/"):
        raise BadInput("Namespaces that begin with AWS/ are AWS's own; choose another.")
    return name


def metric_name(name: str) -> str:
    """Return a metric's name. Raises BadInput."""
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        raise BadInput("A metric's name has 1 to 255 printable ASCII characters (not first a colon).")
    return name


def unit(name: str) -> str:
    """Return a unit of CloudWatch. Raises BadInput with the list."""
    if name not in UNITS:
        raise BadInput(f"CloudWatch has no such unit; it has {', '.join(sorted(UNITS))}.")
    return name


def value(number: float) -> float:
    """Return a number that CloudWatch can add up. Raises BadInput."""
    if isinstance(number, bool) or not isinstance(number, Real):
        raise BadInput("A metric's value is a number.")
    try:
        found = float(number)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found) or abs(found) > _LARGEST:
        raise BadInput("A metric's value is finite and between -2^360 and 2^360.")
    return found


def dimensions(given: Sequence[Mapping[str, str]] | None) -> list[DimensionTypeDef]:
    """Return dimensions, each `Name` and `Value`. Raises BadInput with the places of the wrong ones."""
    listed = list(given or ())
    if len(listed) > _MOST_DIMENSIONS:
        raise BadInput(f"A metric has at most {_MOST_DIMENSIONS} dimensions, not {len(listed)}.")
    wrong = [str(place) for place, one in enumerate(listed, 1) if not _is_dimension(one)]
    if wrong:
        raise BadInput(
            f"Dimension {', '.join(wrong)} is not of the form {{'Name': …, 'Value': …}} in printable ASCII "
            "(name: 1 to 255 characters, not first a colon; value: 1 to 1,024)."
        )
    if len({one["Name"] for one in listed}) < len(listed):
        raise BadInput("Each dimension's name may stand once.")
    return [{"Name": one["Name"], "Value": one["Value"]} for one in listed]


def _is_dimension(one: object) -> bool:
    return (
        isinstance(one, Mapping)
        and set(one) == {"Name", "Value"}
        and all(isinstance(part, str) for part in one.values())
        and _NAME.fullmatch(one["Name"]) is not None
        and _VALUE.fullmatch(one["Value"]) is not None
    )


def timestamp(moment: datetime | None) -> datetime:
    """Return the moment in UTC, now for None; without a zone it is local time. Raises BadInput."""
    now = datetime.now(UTC)
    if moment is None:
        return now
    if not isinstance(moment, datetime):
        raise BadInput("A metric's timestamp is a datetime.")
    in_utc = moment.astimezone(UTC)
    if not now - _OLDEST <= in_utc <= now + _NEWEST:
        raise BadInput("CloudWatch takes timestamps of the last 14 days and the next 2 hours.")
    return in_utc
