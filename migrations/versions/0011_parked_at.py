"""When an effect was set aside: whoever asks whether a person was told allows for the time that
telling takes."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE effect ADD COLUMN parked_at timestamptz")


def downgrade() -> None:
    op.execute("ALTER TABLE effect DROP COLUMN parked_at")
