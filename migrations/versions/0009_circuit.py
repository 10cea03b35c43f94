"""The circuit of each payment provider: shared by all workers, one row each."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE circuit (
          provider text PRIMARY KEY,
          opening integer NOT NULL DEFAULT 0,
          closed integer NOT NULL DEFAULT 0,
          failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
          reason text NOT NULL DEFAULT '',
          failed_at timestamptz,
          failing_since timestamptz,
          held_until timestamptz,
          next_call_at timestamptz NOT NULL DEFAULT '-infinity',
          recovered_at timestamptz)
        """
    )
    op.execute("INSERT INTO circuit (provider) VALUES ('stripe')")
    # Orders that were planned before name their provider from now on, too.
    op.execute(
        """
        UPDATE effect SET payload = payload || '{"provider": "stripe"}'
         WHERE kind IN ('submit_payment', 'submit_refund') AND status <> 'done'
        """
    )
    # Right after an append only what was never rung is looked for, however much waits.
    op.execute(
        """
        CREATE INDEX effect_unrung ON effect (due_at)
         WHERE first_rung_at IS NULL AND status IN ('waiting', 'leased', 'unknown')
        """
    )


def downgrade() -> None:
    op.execute("DROP INDEX effect_unrung")
    op.execute("DROP TABLE circuit")
