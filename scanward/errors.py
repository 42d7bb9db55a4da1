"""The one tree of errors, and the fault that most of them carry.

  ScanwardError            500  InternalError
  ├── BadInput             400  Bad request           the caller's own fault
  │   ├── InvalidDicom     400  Invalid DICOM file    the gate refused the object (DIMSE 0xC000)
  │   ├── ValidationFailed 400  Validation failed     a rule of severity "reject" is broken (DIMSE 0xC000)
  │   └── Quarantined      400  Quarantined           sound, but not safely cleanable (never delivered)
  ├── NotFound             404  Not found
  ├── Refused              403  Access Denied         token, Host, Origin, link or rights
  ├── TooLarge             413  Too large
  ├── OutOfSpace           507  Insufficient storage  the free-space watermark is reached (DIMSE 0xA700)
  ├── Unavailable          503  Service unavailable   transient: retrying may help (DIMSE 0xA700)
  └── Misconfigured        500  Misconfigured         a setting, key or permission of the site

A message says what, where and what to do. It never holds a patient's value, nor a library's own text
(which may).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import ClassVar, Literal

Severity = Literal["reject", "warn"]
JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an object.

    rule: a stable kebab-case name, the key of `reject | warn` in settings; path: tag path such as
    `(0008,1140)[0].(0008,1150)` or ""; offset: byte position in the object or None; clause: e.g. `PS3.5 7.1`.
    The message never holds the element's value.
    """

    rule: str
    message: str
    path: str = ""
    offset: int | None = None
    clause: str = ""
    severity: Severity = "reject"

    def as_json(self) -> dict[str, JsonValue]:
        """Return the fault's fields as a JSON object."""
        return asdict(self)


class ScanwardError(Exception):
    """Base of every error that Scanward raises on purpose."""

    status: ClassVar[int] = 500
    error: ClassVar[str] = "InternalError"

    def __init__(self, message: str, *, faults: tuple[Fault, ...] = ()) -> None:
        """Keep the message for people and the faults for programs."""
        super().__init__(message)
        self.message = message
        self.faults = faults

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle across worker processes with the faults."""
        return _rebuild, (type(self), self.message, self.faults)

    def as_json(self) -> dict[str, JsonValue]:
        """Return the seeds' form: statusCode, error, message, details."""
        details: dict[str, JsonValue] = {}
        if self.faults:
            details["faults"] = [fault.as_json() for fault in self.faults]
        return {
            "statusCode": self.status,
            "error": self.error,
            "message": self.message,
            "details": details,
        }


def _rebuild(kind: type[ScanwardError], message: str, faults: tuple[Fault, ...]) -> ScanwardError:
    return kind(message, faults=faults)


class BadInput(ScanwardError):
    """What was asked or sent cannot be used as it is."""

    status = 400
    error = "Bad request"


class InvalidDicom(BadInput):
    """The gate refused the object: it is not, or not wholly, DICOM."""

    error = "Invalid DICOM file"


class ValidationFailed(BadInput):
    """The object is DICOM but breaks rules that the site rejects on."""

    error = "Validation failed"


class Quarantined(BadInput):
    """The object is sound but cannot be proven clean; `faults` name the rule."""

    error = "Quarantined"


class NotFound(ScanwardError):
    """No such object, study, execution or link."""

    status = 404
    error = "Not found"


class Refused(ScanwardError):
    """The asker may not have this."""

    status = 403
    error = "Access Denied"


class TooLarge(ScanwardError):
    """A size bound of the settings is passed."""

    status = 413
    error = "Too large"


class OutOfSpace(ScanwardError):
    """The disk's free space is under the watermark; nothing was acknowledged."""

    status = 507
    error = "Insufficient storage"


class Unavailable(ScanwardError):
    """A transient fault of the surroundings; the same call may succeed later."""

    status = 503
    error = "Service unavailable"


class Misconfigured(ScanwardError):
    """A setting, key or permission of this site is wrong; the message says which and how to mend it."""

    error = "Misconfigured"
