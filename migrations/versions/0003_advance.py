"""Requests to move the sandbox Clock: asked for by a person, carried out by the ticker."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE advance (
      id uuid PRIMARY KEY,
      target timestamptz NOT NULL,
      started_from timestamptz NOT NULL,
      requested_by text NOT NULL,
      requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      state text NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
      cancel_wanted boolean NOT NULL DEFAULT false,
      done_steps integer NOT NULL DEFAULT 0 CHECK (done_steps >= 0),
      message text,
      ended_at timestamptz,
      CONSTRAINT advance_goes_forward CHECK (target > started_from),
      CONSTRAINT advance_ended_when_over
        CHECK ((state IN ('waiting', 'running')) = (ended_at IS NULL)),
      CONSTRAINT advance_failed_with_a_reason CHECK (state <> 'failed' OR message IS NOT NULL))
    """,
    # One Clock, one move at a time.
    """
    CREATE UNIQUE INDEX advance_one_at_a_time ON advance ((true))
     WHERE state IN ('waiting', 'running')
    """,
    "CREATE INDEX advance_by_time ON advance (requested_at)",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE advance")
