"""The first tables of schema `deid`."""

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
        "instances",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("sequence", _Number, nullable=False),
        sa.Column("size", _Number, nullable=False),
        sa.Column("checksum", sa.Text, nullable=False),
        sa.Column("delivered", sa.Float, nullable=False),
        sa.Column("superseded_by", sa.Text, nullable=False, server_default=sa.text("''")),
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
        schema="deid",
    )
    op.create_index("deid_instances_instance_uid", "instances", ["instance_uid"], schema="deid")
    op.create_index("deid_instances_study_uid", "instances", ["study_uid"], schema="deid")
