"""Views of a list that people keep, and the one a list opens with (webapp/models.py)."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE saved_view (
      id varchar PRIMARY KEY,
      list varchar NOT NULL,
      owner_id varchar NOT NULL REFERENCES staff (id) ON DELETE CASCADE,
      name varchar NOT NULL CHECK (name <> '' AND length(name) <= 60),
      query varchar NOT NULL CHECK (length(query) <= 2000),
      shared boolean NOT NULL,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      UNIQUE (owner_id, list, name))
    """,
    "CREATE INDEX saved_view_shared ON saved_view (list) WHERE shared",
    """
    CREATE TABLE default_view (
      staff_id varchar NOT NULL REFERENCES staff (id) ON DELETE CASCADE,
      list varchar NOT NULL,
      view_id varchar NOT NULL REFERENCES saved_view (id) ON DELETE CASCADE,
      PRIMARY KEY (staff_id, list))
    """,
    "CREATE INDEX default_view_view_id ON default_view (view_id)",
)


def upgrade() -> None:
    for table in TABLES:
        op.execute(table)


def downgrade() -> None:
    op.execute("DROP TABLE default_view")
    op.execute("DROP TABLE saved_view")
