"""Who may log in, their sessions, login back-off and the audit trail (webapp/models.py)."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE staff (
      id varchar PRIMARY KEY,
      login varchar NOT NULL UNIQUE,
      name varchar NOT NULL,
      role varchar NOT NULL,
      password_hash varchar NOT NULL,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      disabled_at timestamptz,
      CONSTRAINT staff_role_known
        CHECK (role IN ('support', 'operations', 'finance', 'lead', 'auditor', 'admin')),
      CONSTRAINT staff_login_lower_case CHECK (login = lower(login)))
    """,
    """
    CREATE TABLE staff_session (
      token_sha256 bytea PRIMARY KEY,
      previous_sha256 bytea UNIQUE,
      staff_id varchar NOT NULL REFERENCES staff (id) ON DELETE CASCADE,
      csrf varchar NOT NULL,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      rotated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      notice varchar)
    """,
    "CREATE INDEX ix_staff_session_staff_id ON staff_session (staff_id)",
    """
    CREATE TABLE login_throttle (
      key varchar PRIMARY KEY,
      tries integer NOT NULL,
      last_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      blocked_until timestamptz)
    """,
    """
    CREATE TABLE audit (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      at timestamptz NOT NULL DEFAULT clock_timestamp(),
      staff_id varchar,
      act varchar NOT NULL,
      outcome varchar NOT NULL,
      subject varchar,
      reason varchar,
      reference varchar)
    """,
    "CREATE INDEX audit_by_subject ON audit (subject)",
    "CREATE INDEX audit_by_time ON audit (at)",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE audit, login_throttle, staff_session, staff")
