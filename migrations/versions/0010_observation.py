"""What was observed from outside the stream, newest value only: the last `./run check`, backup and
restore test."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE observation (
          kind varchar NOT NULL,
          name varchar NOT NULL,
          value bigint NOT NULL CHECK (value >= 0),
          at timestamptz NOT NULL DEFAULT clock_timestamp(),
          PRIMARY KEY (kind, name))
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE observation")
