"""Exports: lists written to a file in the background, and the pieces of the file.

`asked` and `body` are sealed with the house key: a filter and a list hold names."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE export (
      id uuid PRIMARY KEY,
      list text NOT NULL,
      requested_by text NOT NULL,
      roles text[] NOT NULL,
      asked bytea,
      dress jsonb NOT NULL,
      state text NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
      reason text,
      rows_done bigint NOT NULL DEFAULT 0 CHECK (rows_done >= 0),
      rows_total bigint CHECK (rows_total >= 0),
      chunks integer NOT NULL DEFAULT 0 CHECK (chunks >= 0),
      bytes bigint NOT NULL DEFAULT 0 CHECK (bytes >= 0),
      attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
      lease_until timestamptz,
      lease_token uuid,
      rung_at timestamptz,
      requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      ended_at timestamptz,
      gone_at timestamptz,
      CONSTRAINT export_ended_when_over
        CHECK ((state IN ('waiting', 'running')) = (ended_at IS NULL)),
      CONSTRAINT export_leased_while_running
        CHECK ((state = 'running') = (lease_token IS NOT NULL)
               AND (state = 'running') = (lease_until IS NOT NULL)),
      CONSTRAINT export_asked_until_over CHECK (ended_at IS NOT NULL OR asked IS NOT NULL),
      CONSTRAINT export_failed_with_a_reason CHECK (state <> 'failed' OR reason IS NOT NULL))
    """,
    "CREATE INDEX export_open ON export (requested_at) WHERE state IN ('waiting', 'running')",
    "CREATE INDEX export_kept ON export (ended_at) WHERE ended_at IS NOT NULL AND gone_at IS NULL",
    "CREATE INDEX export_by_person ON export (requested_by, requested_at)",
    """
    CREATE TABLE export_chunk (
      export_id uuid NOT NULL REFERENCES export (id) ON DELETE CASCADE,
      n integer NOT NULL CHECK (n >= 0),
      body bytea NOT NULL,
      PRIMARY KEY (export_id, n))
    """,
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE export_chunk, export")
