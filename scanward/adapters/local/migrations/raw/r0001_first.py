"""The first tables of schema `raw`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "audit",
        sa.Column("id", _Number, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("asker", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("mark", sa.Text, nullable=False),
        sa.Column("found", sa.Boolean, nullable=False),
        schema="raw",
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("total", sa.Float, nullable=False),
        schema="raw",
    )
    op.create_table(
        "crosswalk",
        sa.Column("pseudonym_mark", sa.Text, primary_key=True),
        sa.Column("original_mark", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        schema="raw",
    )
    op.create_index("raw_crosswalk_original_mark", "crosswalk", ["original_mark"], schema="raw")
    op.create_table(
        "instances",
        sa.Column("sequence", _Number, primary_key=True, autoincrement=True),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("size", _Number, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("received", sa.Float, nullable=False),
        sa.Column("superseded_by", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("warnings", sa.Text, nullable=False),
        sa.Column("study_uid", sa.Text, nullable=False),
        sa.Column("series_uid", sa.Text, nullable=False),
        sa.Column("instance_uid", sa.Text, nullable=False),
        sa.Column("sop_class_uid", sa.Text, nullable=False),
        sa.Column("transfer_syntax", sa.Text, nullable=False),
        sa.Column("modality", sa.Text, nullable=False),
        sa.Column("patient_id", sa.Text, nullable=False),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("patient_name", sa.Text, nullable=False),
        sa.Column("patient_birth_date", sa.Text, nullable=False),
        sa.Column("patient_sex", sa.Text, nullable=False),
        sa.Column("accession_number", sa.Text, nullable=False),
        sa.Column("study_id", sa.Text, nullable=False),
        sa.Column("study_date", sa.Text, nullable=False),
        sa.Column("study_time", sa.Text, nullable=False),
        sa.Column("study_description", sa.Text, nullable=False),
        sa.Column("series_date", sa.Text, nullable=False),
        sa.Column("series_description", sa.Text, nullable=False),
        sa.Column("body_part", sa.Text, nullable=False),
        sa.Column("series_number", _Number),
        sa.Column("instance_number", _Number),
        sa.Column("rows", _Number),
        sa.Column("columns", _Number),
        sa.Column("frames", _Number),
        schema="raw",
    )
    op.create_index("raw_instances_instance_uid", "instances", ["instance_uid"], schema="raw")
    op.create_index("raw_instances_study_uid", "instances", ["study_uid"], schema="raw")
    op.create_table(
        "quarantine",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("size", _Number, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("received", sa.Float, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("faults", sa.Text, nullable=False),
        schema="raw",
    )
    op.create_table(
        "site",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        schema="raw",
    )
    op.create_table(
        "executions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("raw_key", sa.Text, sa.ForeignKey("raw.instances.key"), nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("modality", sa.Text, nullable=False),
        sa.Column("size", _Number, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("started", sa.Float, nullable=False),
        sa.Column("stopped", sa.Float),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("dead_letter", sa.Boolean, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("faults", sa.Text, nullable=False),
        sa.Column("stages", sa.Text, nullable=False),
        sa.Column("deid_key", sa.Text, nullable=False),
        sa.Column("deid_study_uid", sa.Text, nullable=False),
        sa.Column("due", sa.Float, nullable=False),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("alone", sa.Boolean, nullable=False),
        schema="raw",
    )
    op.create_index("raw_executions_status_due", "executions", ["status", "due"], schema="raw")
    op.create_index("raw_executions_status_id", "executions", ["status", "id"], schema="raw")
