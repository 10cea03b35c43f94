"""What became of a due timer whose command is refused: why, since when, and when it is tried again.
Whoever waits for the Clock to come to rest does not wait for it."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE timer ADD COLUMN refused text, ADD COLUMN refused_at timestamptz,"
        " ADD COLUMN not_before timestamptz"
    )
    op.execute("CREATE INDEX timer_refused ON timer (refused_at) WHERE refused IS NOT NULL")


def downgrade() -> None:
    op.execute("DROP INDEX timer_refused")
    op.execute(
        "ALTER TABLE timer DROP COLUMN refused, DROP COLUMN refused_at, DROP COLUMN not_before"
    )
