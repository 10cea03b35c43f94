"""language: the language a person reads; empty means whatever their browser asks for."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE staff ADD COLUMN locale varchar"
        " CONSTRAINT staff_locale_known CHECK (locale IN ('de', 'en'))"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE staff DROP COLUMN locale")
