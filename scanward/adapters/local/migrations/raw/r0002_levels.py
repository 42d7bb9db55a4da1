"""Studies, series and models of schema `raw`; `sql_migrate` fills the first two."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STUDY_TEXTS = (
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
_SERIES_TEXTS = ("modality", "series_date", "series_description", "body_part")
_COUNTS = ("instances", "bytes", "newest")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "studies",
        sa.Column("study_uid", sa.Text, primary_key=True),
        *[sa.Column(name, sa.Text, nullable=False) for name in (*_STUDY_TEXTS, "modalities", "sop_classes")],
        sa.Column("series", _Number, nullable=False),
        *[sa.Column(name, _Number, nullable=False) for name in _COUNTS],
        sa.Column("model", sa.LargeBinary, nullable=False),
        schema="raw",
    )
    for name in ("newest", "study_date", "patient_id", "accession_number"):
        op.create_index(f"raw_studies_{name}", "studies", [name], schema="raw")
    op.create_table(
        "series",
        sa.Column("study_uid", sa.Text, primary_key=True),
        sa.Column("series_uid", sa.Text, primary_key=True),
        *[sa.Column(name, sa.Text, nullable=False) for name in (*_SERIES_TEXTS, "sop_classes")],
        sa.Column("series_number", _Number),
        *[sa.Column(name, _Number, nullable=False) for name in _COUNTS],
        sa.Column("model", sa.LargeBinary, nullable=False),
        schema="raw",
    )
    op.create_index("raw_series_series_uid", "series", ["series_uid"], schema="raw")
    op.create_table(
        "models",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("model", sa.LargeBinary, nullable=False),
        sa.Column("frames", sa.LargeBinary, nullable=False),
        schema="raw",
    )
    op.drop_index("raw_instances_study_uid", "instances", schema="raw")
    op.create_index("raw_instances_series", "instances", ["study_uid", "series_uid"], schema="raw")
