"""The change feed of schema `raw`, which begins with what is there, and the blobs that are to go."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_FILL = """
INSERT INTO raw.changes (at, action, study_uid, series_uid, instance_uid)
SELECT received, 'stored', study_uid, series_uid, instance_uid FROM raw.instances
WHERE superseded_by = '' ORDER BY sequence
"""


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "changes",
        sa.Column("sequence", _Number, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("study_uid", sa.Text, nullable=False),
        sa.Column("series_uid", sa.Text, nullable=False),
        sa.Column("instance_uid", sa.Text, nullable=False),
        schema="raw",
    )
    op.create_index("raw_changes_at", "changes", ["at"], schema="raw")
    op.create_table(
        "removals",
        sa.Column("zone", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        schema="raw",
    )
    op.create_index("raw_instances_patient_id", "instances", ["patient_id"], schema="raw")
    op.execute(_FILL)
