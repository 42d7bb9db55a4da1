"""The tables: what a patient is named by stays in schema `raw`, and nothing of it is in schema `deid`.

On SQLite each schema is a file of its own (`catalog.sqlite`, `deid.sqlite`), on PostgreSQL a schema.
Times are seconds since the epoch, lists are JSON text, a `mark` is a keyed hash, `sequence` is the order
of arrival. A migration (`migrations/`) must say the same as this page; a test compares both.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

RAW = "raw"
DEID = "deid"
SCHEMAS = (RAW, DEID)

metadata = MetaData()
_Number = BigInteger().with_variant(Integer(), "sqlite")

INSTANCE_TEXTS = (
    "study_uid",
    "series_uid",
    "instance_uid",
    "sop_class_uid",
    "transfer_syntax",
    "modality",
    "patient_id",
    "issuer",
    "patient_name",
    "patient_birth_date",
    "patient_sex",
    "accession_number",
    "study_id",
    "study_date",
    "study_time",
    "study_description",
    "series_date",
    "series_description",
    "body_part",
)
INSTANCE_NUMBERS = ("series_number", "instance_number", "rows", "columns", "frames")


def _instance_columns() -> list[Column[object]]:
    texts: list[Column[object]] = [Column(name, Text, nullable=False) for name in INSTANCE_TEXTS]
    return texts + [Column(name, _Number) for name in INSTANCE_NUMBERS]


STUDY_TEXTS = (
    "patient_id",
    "issuer",
    "patient_name",
    "patient_birth_date",
    "patient_sex",
    "accession_number",
    "study_id",
    "study_date",
    "study_time",
    "study_description",
)
SERIES_TEXTS = ("modality", "series_date", "series_description", "body_part")


def _changes_table(schema: str) -> Table:
    """Return a zone's feed of changes: UIDs of that zone and times, nothing else; rows are never removed."""
    changes = Table(
        "changes",
        metadata,
        Column("sequence", _Number, primary_key=True, autoincrement=True),
        Column("at", Float, nullable=False),
        Column("action", Text, nullable=False),
        Column("study_uid", Text, nullable=False),
        Column("series_uid", Text, nullable=False),
        Column("instance_uid", Text, nullable=False),
        schema=schema,
    )
    Index(f"{schema}_changes_at", changes.c.at)
    return changes


def _level_tables(schema: str) -> tuple[Table, Table, Table]:
    """Return studies, series and models of a schema.

    A study and a series have the texts and the model of the newest of their current instances; `modalities`
    and `sop_classes` are joined by backslashes. The key of a model is its instance's.
    """
    counts = ("instances", "bytes", "newest")
    studies = Table(
        "studies",
        metadata,
        Column("study_uid", Text, primary_key=True),
        *[Column(name, Text, nullable=False) for name in (*STUDY_TEXTS, "modalities", "sop_classes")],
        Column("series", _Number, nullable=False),
        *[Column(name, _Number, nullable=False) for name in counts],
        Column("model", LargeBinary, nullable=False),
        schema=schema,
    )
    Index(f"{schema}_studies_newest", studies.c.newest)
    Index(f"{schema}_studies_study_date", studies.c.study_date)
    Index(f"{schema}_studies_patient_id", studies.c.patient_id)
    Index(f"{schema}_studies_accession_number", studies.c.accession_number)
    series = Table(
        "series",
        metadata,
        Column("study_uid", Text, primary_key=True),
        Column("series_uid", Text, primary_key=True),
        *[Column(name, Text, nullable=False) for name in (*SERIES_TEXTS, "sop_classes")],
        Column("series_number", _Number),
        *[Column(name, _Number, nullable=False) for name in counts],
        Column("model", LargeBinary, nullable=False),
        schema=schema,
    )
    Index(f"{schema}_series_series_uid", series.c.series_uid)
    models = Table(
        "models",
        metadata,
        Column("key", Text, primary_key=True),
        Column("model", LargeBinary, nullable=False),
        Column("frames", LargeBinary, nullable=False),
        schema=schema,
    )
    return studies, series, models


site = Table(
    "site",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    schema=RAW,
)

instances = Table(
    "instances",
    metadata,
    Column("sequence", _Number, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False, unique=True),
    Column("size", _Number, nullable=False),
    Column("name", Text, nullable=False),
    Column("received", Float, nullable=False),
    Column("superseded_by", Text, nullable=False, server_default=text("''")),
    Column("warnings", Text, nullable=False),
    *_instance_columns(),
    schema=RAW,
)
Index("raw_instances_instance_uid", instances.c.instance_uid)
Index("raw_instances_series", instances.c.study_uid, instances.c.series_uid)
Index("raw_instances_patient_id", instances.c.patient_id)
studies, series, models = _level_tables(RAW)
changes = _changes_table(RAW)

# Blobs of deleted objects that are still to be removed from the store; a row goes with its blob.
removals = Table(
    "removals",
    metadata,
    Column("zone", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    schema=RAW,
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("key", Text, primary_key=True),
    Column("size", _Number, nullable=False),
    Column("name", Text, nullable=False),
    Column("received", Float, nullable=False),
    Column("error", Text, nullable=False),
    Column("faults", Text, nullable=False),
    schema=RAW,
)

executions = Table(
    "executions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("raw_key", Text, ForeignKey("raw.instances.key"), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("modality", Text, nullable=False),
    Column("size", _Number, nullable=False),
    Column("status", Text, nullable=False),
    Column("started", Float, nullable=False),
    Column("stopped", Float),
    Column("attempts", Integer, nullable=False),
    Column("dead_letter", Boolean, nullable=False),
    Column("error", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("faults", Text, nullable=False),
    Column("stages", Text, nullable=False),
    Column("deid_key", Text, nullable=False),
    Column("deid_study_uid", Text, nullable=False),
    # When it may be claimed: arrival, end of its back-off, or end of its lease where `token` is set.
    Column("due", Float, nullable=False),
    Column("token", Text, nullable=False),
    Column("worker", Text, nullable=False),
    # A claim that its worker did not survive is claimed alone, so that what it may do harms nothing else.
    Column("alone", Boolean, nullable=False),
    schema=RAW,
)
Index("raw_executions_status_due", executions.c.status, executions.c.due)
Index("raw_executions_status_id", executions.c.status, executions.c.id)

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("total", Float, nullable=False),
    schema=RAW,
)

crosswalk = Table(
    "crosswalk",
    metadata,
    Column("pseudonym_mark", Text, primary_key=True),
    Column("original_mark", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    schema=RAW,
)
Index("raw_crosswalk_original_mark", crosswalk.c.original_mark)

audit = Table(
    "audit",
    metadata,
    Column("id", _Number, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("asker", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("mark", Text, nullable=False),
    Column("found", Boolean, nullable=False),
    schema=RAW,
)

deid_instances = Table(
    "instances",
    metadata,
    Column("key", Text, primary_key=True),
    Column("sequence", _Number, nullable=False),
    Column("size", _Number, nullable=False),
    Column("checksum", Text, nullable=False),
    Column("delivered", Float, nullable=False),
    Column("superseded_by", Text, nullable=False, server_default=text("''")),
    *_instance_columns(),
    schema=DEID,
)
Index("deid_instances_instance_uid", deid_instances.c.instance_uid)
Index("deid_instances_series", deid_instances.c.study_uid, deid_instances.c.series_uid)
Index("deid_instances_patient_id", deid_instances.c.patient_id)
Index("deid_instances_sequence", deid_instances.c.sequence)
deid_studies, deid_series, deid_models = _level_tables(DEID)
deid_changes = _changes_table(DEID)
