"""The first board: learners and their submissions.

Revision ID: 0001
Created: 2026-11-22
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "learners",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("key", sa.String(256), nullable=False),
        sa.Column("joined", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_learners"),
        sa.UniqueConstraint("key", name="uq_learners_key"),
    )
    op.create_table(
        "submissions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("homework", sa.String(16), nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("learner_id", sa.Integer(), nullable=False),
        sa.Column("filename", sa.String(255), nullable=False),
        sa.Column("file", sa.String(255), nullable=False),
        sa.Column("num_bytes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("answers", sa.String(64), nullable=False),
        sa.Column("received", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("public", sa.Double(), nullable=True),
        sa.Column("private", sa.Double(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("seconds", sa.Double(), server_default="0", nullable=False),
        sa.Column("num_attempts", sa.Integer(), server_default="1", nullable=False),
        sa.Column("final", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_submissions"),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learners.id"], name="fk_submissions_learner_id_learners"
        ),
        sa.UniqueConstraint("file", name="uq_submissions_file"),
        sa.CheckConstraint(
            "state IN ('received', 'scored', 'rejected', 'failed')",
            name=op.f("ck_submissions_state"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_submissions_homework_source_learner_id_received",
        "submissions",
        ["homework", "source", "learner_id", "received"],
    )


def downgrade() -> None:
    """Drop both tables, and with them every submission's record."""
    op.drop_table("submissions")
    op.drop_table("learners")
