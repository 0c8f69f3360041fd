"""Indexes from which a board and the submissions that wait are read without reading the table.

Revision ID: 0002
Created: 2026-11-27
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BOARD = ["homework", "source", "state", "answers", "learner_id"]
SCORES = ["public", "received", "private", "final"]


def upgrade() -> None:
    """Make the indexes."""
    op.create_index("ix_submissions_board", "submissions", [*BOARD, *SCORES])
    op.create_index("ix_submissions_state", "submissions", ["state"])


def downgrade() -> None:
    """Drop the indexes; nothing else is lost."""
    op.drop_index("ix_submissions_board", "submissions")
    op.drop_index("ix_submissions_state", "submissions")
