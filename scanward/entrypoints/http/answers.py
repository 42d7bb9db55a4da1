"""The forms of all answers, as the OpenAPI document tells them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, Field

from scanward.errors import Fault
from scanward.ports.catalog import Kept, Study
from scanward.ports.executions import Execution, Status
from scanward.ports.object_store import Zone

FileStatus = Literal["accepted", "duplicate", "rejected", "skipped"]


class FaultAnswer(BaseModel):
    """One thing wrong with an object; never the element's value."""

    rule: str = Field(description="Stable name of the rule, the key of `reject | warn` in the settings.")
    message: str
    path: str = Field(default="", description="Tag path, e.g. (0008,1140)[0].(0008,1150).")
    offset: int | None = Field(default=None, description="Byte position in the object.")
    clause: str = Field(default="", description="Clause of the standard, e.g. PS3.5 7.1.")
    severity: Literal["reject", "warn"] = "reject"

    @classmethod
    def of(cls, fault: Fault) -> Self:
        """Return the answer's form of a fault."""
        return cls(**asdict(fault))


class Problem(BaseModel):
    """Every error."""

    statusCode: int  # noqa: N815 -- the API document's own spelling
    error: str
    message: str
    details: dict[str, Any] = Field(default_factory=dict)


class UploadedFile(BaseModel):
    """What became of one file."""

    file: str = Field(description="The name that the sender gave.")
    status: FileStatus
    execution_id: str = Field(
        "", description="Its way through the line; of a duplicate, the one that is there."
    )
    superseded: bool = Field(
        default=False, description="Other bytes under the same SOP Instance UID were here."
    )
    error: str = ""
    reason: str = ""
    faults: list[FaultAnswer] = Field(default_factory=list)


class UploadAnswer(BaseModel):
    """A row for each file, and how many of each kind."""

    files: list[UploadedFile]
    counts: dict[str, int]


class UploadProblem(Problem, UploadAnswer):
    """An error that came after some files were looked at: what became of each is told all the same."""


class StageAnswer(BaseModel):
    """One stage's outcome and time."""

    name: str
    status: Status
    seconds: float


class ExecutionAnswer(BaseModel):
    """One object's way through the line."""

    id: str
    status: Status
    file: str = Field(description="The name that the sender gave.")
    modality: str
    size: int
    started: datetime
    stopped: datetime | None
    attempts: int
    dead_letter: bool
    error: str
    cause: str
    faults: list[FaultAnswer]
    stages: list[StageAnswer]
    raw_key: str
    deid_key: str
    deid_study_uid: str

    @classmethod
    def of(cls, execution: Execution) -> Self:
        """Return the answer's form of an execution."""
        return cls(
            file=execution.name, **{key: value for key, value in asdict(execution).items() if key != "name"}
        )


class ExecutionsAnswer(BaseModel):
    """Executions, newest first."""

    executions: list[ExecutionAnswer]
    after: str = Field(default="", description="`after` of the next page; empty at the end.")


class StudyAnswer(BaseModel):
    """One study of a zone."""

    study_uid: str
    patient_id: str
    patient_name: str
    study_date: str
    study_description: str
    accession_number: str
    modalities: list[str]
    series: int
    instances: int
    bytes: int

    @classmethod
    def of(cls, study: Study) -> Self:
        """Return the answer's form of a study."""
        return cls(**asdict(study))


class StudiesAnswer(BaseModel):
    """Studies of a zone, the newest received first."""

    zone: Zone
    studies: list[StudyAnswer]
    next_offset: int | None = Field(default=None, description="`offset` of the next page; null at the end.")


class InstanceAnswer(BaseModel):
    """One instance of a study."""

    key: str = Field(description="What `POST /links` makes a link for.")
    size: int
    series_uid: str
    instance_uid: str
    sop_class_uid: str
    transfer_syntax: str
    modality: str
    series_number: int | None
    instance_number: int | None
    series_description: str
    rows: int | None
    columns: int | None
    frames: int | None

    @classmethod
    def of(cls, kept: Kept) -> Self:
        """Return the answer's form of an instance."""
        return cls.model_validate({"key": kept.key, "size": kept.size, **asdict(kept.instance)})


class StudyInstancesAnswer(BaseModel):
    """One study's instances by series and instance number."""

    zone: Zone
    study_uid: str
    instances: list[InstanceAnswer]
    total: int
    next_offset: int | None = None


class LinkRequest(BaseModel):
    """Which object, and for how long."""

    key: str = Field(pattern="^[0-9a-f]{64}$", description="The object's key in its zone.")
    zone: Literal[Zone.DEID, Zone.RAW] = Zone.DEID
    expires: str = Field(
        "1h", pattern="^[0-9]{1,6}[smhd]$", description="Lifetime: 90s, 15m, 1h, 7d at most."
    )


class LinkAnswer(BaseModel):
    """A signed, expiring address; it needs no token, so that it can be handed on."""

    url: str
    expires_in: int = Field(description="Seconds.")


class HealthAnswer(BaseModel):
    """The process is alive."""

    status: Literal["ok"] = "ok"
    version: str


class ReadyAnswer(BaseModel):
    """Each thing that the service needs, and whether it is well."""

    status: Literal["ready", "not ready"]
    checks: dict[str, bool]
