"""Notifications that were refused, counted by provider, reason and day (webapp/models.py)."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE hook_refusal (
          provider varchar NOT NULL,
          reason varchar NOT NULL,
          day date NOT NULL,
          times bigint NOT NULL CHECK (times > 0),
          last_at timestamptz NOT NULL DEFAULT clock_timestamp(),
          PRIMARY KEY (provider, reason, day))
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE hook_refusal")
