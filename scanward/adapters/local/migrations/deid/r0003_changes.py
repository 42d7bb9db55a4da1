"""The change feed of schema `deid`, which begins with what is there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_FILL = """
INSERT INTO deid.changes (at, action, study_uid, series_uid, instance_uid)
SELECT delivered, 'de-identified', study_uid, series_uid, instance_uid FROM deid.instances
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
        schema="deid",
    )
    op.create_index("deid_changes_at", "changes", ["at"], schema="deid")
    op.create_index("deid_instances_sequence", "instances", ["sequence"], schema="deid")
    op.create_index("deid_instances_patient_id", "instances", ["patient_id"], schema="deid")
    op.execute(_FILL)
