"""Access: the second factor, half-open logins, reset links, proposed changes of accounts
(webapp/models.py). Every open session ends: none of them passed a second factor."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = (
    "ALTER TABLE staff ADD COLUMN totp_sealed bytea, ADD COLUMN totp_step bigint",
    "DELETE FROM staff_session",
    """
    ALTER TABLE staff_session
      ADD COLUMN second_factor boolean NOT NULL,
      ADD COLUMN proved_at timestamptz NOT NULL DEFAULT clock_timestamp()
    """,
    """
    CREATE TABLE half_login (
      token_sha256 bytea PRIMARY KEY,
      staff_id varchar NOT NULL REFERENCES staff (id) ON DELETE CASCADE,
      csrf varchar NOT NULL,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp())
    """,
    "CREATE INDEX ix_half_login_staff_id ON half_login (staff_id)",
    """
    CREATE TABLE recovery_code (
      staff_id varchar NOT NULL REFERENCES staff (id) ON DELETE CASCADE,
      code_sha256 bytea NOT NULL,
      PRIMARY KEY (staff_id, code_sha256))
    """,
    """
    CREATE TABLE reset_link (
      token_sha256 bytea PRIMARY KEY,
      staff_id varchar NOT NULL REFERENCES staff (id) ON DELETE CASCADE,
      made_by varchar,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      used_at timestamptz)
    """,
    "CREATE INDEX ix_reset_link_staff_id ON reset_link (staff_id)",
    """
    CREATE TABLE staff_change (
      id varchar PRIMARY KEY,
      kind varchar NOT NULL,
      login varchar NOT NULL,
      name varchar NOT NULL,
      staff_id varchar REFERENCES staff (id) ON DELETE CASCADE,
      before varchar NOT NULL,
      after varchar NOT NULL,
      asked_by varchar NOT NULL REFERENCES staff (id),
      asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      outcome varchar,
      decided_by varchar REFERENCES staff (id),
      decided_at timestamptz,
      CONSTRAINT staff_change_kind_known
        CHECK (kind IN ('add', 'role', 'disable', 'enable', 'password', 'factor')),
      CONSTRAINT staff_change_outcome_known
        CHECK (outcome IN ('confirmed', 'withdrawn', 'rejected', 'expired')),
      CONSTRAINT staff_change_by_a_second_admin
        CHECK (outcome <> 'confirmed' OR (decided_by IS NOT NULL AND decided_by <> asked_by)))
    """,
    "CREATE UNIQUE INDEX staff_change_one_open ON staff_change (login) WHERE outcome IS NULL",
    "ALTER TABLE audit ADD COLUMN detail jsonb",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    op.execute("ALTER TABLE audit DROP COLUMN detail")
    op.execute("DROP TABLE staff_change, reset_link, recovery_code, half_login")
    op.execute("ALTER TABLE staff_session DROP COLUMN second_factor, DROP COLUMN proved_at")
    op.execute("ALTER TABLE staff DROP COLUMN totp_sealed, DROP COLUMN totp_step")
