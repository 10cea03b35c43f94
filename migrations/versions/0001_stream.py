"""The stream's tables: events, feed, command log, effects, timers, inbox, files, keys, readers.

`shard` is one of 1024 virtual shards, the first ten bits of the uuid, and stands in every key of
event, command_log, effect, timer and document_file. The other tables are global by nature.
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SHARD_OF = "((get_byte(uuid_send({0}), 0) << 2) | (get_byte(uuid_send({0}), 1) >> 6))"

TABLES = (
    # A plain sequence with CACHE 1, not an identity column: Citus refuses to move the latter.
    "CREATE SEQUENCE event_position CACHE 1",
    f"""
    CREATE TABLE event (
      shard smallint NOT NULL,
      stream_id uuid NOT NULL,
      version integer NOT NULL CHECK (version > 0),
      position bigint NOT NULL DEFAULT nextval('event_position'),
      epoch smallint NOT NULL DEFAULT 1,
      xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
      event_id uuid NOT NULL,
      command_id uuid NOT NULL,
      cause_id uuid,
      actor text NOT NULL,
      type text NOT NULL,
      schema_v smallint NOT NULL,
      data jsonb NOT NULL,
      sealed bytea,
      subject text,
      purpose text,
      recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (shard, stream_id, version),
      CONSTRAINT event_on_its_shard CHECK (shard = {SHARD_OF.format("stream_id")}),
      CONSTRAINT event_sealed_for_someone
        CHECK ((sealed IS NULL) = (subject IS NULL) AND (sealed IS NULL) = (purpose IS NULL)))
    """,
    "CREATE INDEX event_by_xid ON event (epoch, xid)",
    "CREATE UNIQUE INDEX event_by_position ON event (position, shard)",
    """
    CREATE TABLE feed (
      feed_position bigint PRIMARY KEY,
      shard smallint NOT NULL,
      stream_id uuid NOT NULL,
      version integer NOT NULL,
      UNIQUE (shard, stream_id, version))
    """,
    """
    CREATE TABLE feed_state (
      one boolean PRIMARY KEY DEFAULT true CHECK (one),
      system_id text NOT NULL,
      snap pg_snapshot NOT NULL,
      last bigint NOT NULL CHECK (last >= 0),
      epoch smallint NOT NULL)
    """,
    """
    INSERT INTO feed_state (system_id, snap, last, epoch)
    SELECT system_identifier::text, pg_current_snapshot(), 0, 1 FROM pg_control_system()
    """,
    """
    CREATE TABLE command_log (
      shard smallint NOT NULL CHECK (shard BETWEEN 0 AND 1023),
      command_id uuid NOT NULL,
      request_hash bytea NOT NULL,
      result jsonb,
      at timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (shard, command_id))
    """,
    f"""
    CREATE TABLE effect (
      shard smallint NOT NULL,
      effect_id uuid NOT NULL,
      stream text NOT NULL,
      queue text NOT NULL CHECK (queue IN ('effects', 'documents')),
      kind text NOT NULL,
      payload jsonb NOT NULL,
      status text NOT NULL DEFAULT 'waiting'
        CHECK (status IN ('waiting', 'leased', 'unknown', 'done', 'parked')),
      attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
      due_at timestamptz NOT NULL,
      not_before timestamptz,
      first_rung_at timestamptz,
      lease_until timestamptz,
      lease_token uuid,
      result jsonb,
      error text,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (shard, effect_id),
      CONSTRAINT effect_on_its_shard CHECK (shard = {SHARD_OF.format("effect_id")}),
      CONSTRAINT effect_leased_with_a_token
        CHECK ((status = 'leased') = (lease_token IS NOT NULL)
               AND (status = 'leased') = (lease_until IS NOT NULL)),
      CONSTRAINT effect_parked_with_a_reason CHECK (status <> 'parked' OR error IS NOT NULL))
    """,
    """
    CREATE INDEX effect_open ON effect (due_at)
     WHERE status IN ('waiting', 'leased', 'unknown')
    """,
    "CREATE INDEX effect_parked ON effect (due_at) WHERE status = 'parked'",
    "CREATE INDEX effect_by_stream ON effect (stream)",
    """
    CREATE TABLE timer (
      shard smallint NOT NULL CHECK (shard BETWEEN 0 AND 1023),
      timer_id uuid NOT NULL,
      due_at timestamptz NOT NULL,
      kind text NOT NULL,
      stream text NOT NULL,
      payload jsonb NOT NULL,
      PRIMARY KEY (shard, timer_id))
    """,
    "CREATE INDEX timer_due ON timer (due_at)",
    """
    CREATE TABLE inbox (
      provider text NOT NULL,
      notification_id text NOT NULL,
      object_id text,
      headers bytea NOT NULL,
      body bytea NOT NULL,
      verdict text NOT NULL CHECK (verdict IN ('verified', 'undecided')),
      state text NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'applied', 'duplicate', 'ignored', 'quarantined')),
      reason text,
      effect_id uuid NOT NULL,
      tries integer NOT NULL DEFAULT 1 CHECK (tries > 0),
      received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      settled_at timestamptz,
      PRIMARY KEY (provider, notification_id),
      CONSTRAINT inbox_settled_when_not_waiting
        CHECK ((state = 'waiting') = (settled_at IS NULL)),
      CONSTRAINT inbox_reason_when_not_applied
        CHECK (state NOT IN ('ignored', 'quarantined') OR reason IS NOT NULL))
    """,
    "CREATE INDEX inbox_waiting ON inbox (provider, object_id) WHERE state = 'waiting'",
    "CREATE INDEX inbox_quarantined ON inbox (received_at) WHERE state = 'quarantined'",
    """
    CREATE TABLE document_file (
      shard smallint NOT NULL CHECK (shard BETWEEN 0 AND 1023),
      stream text NOT NULL,
      sha256 bytea NOT NULL CHECK (length(sha256) = 32),
      size integer NOT NULL CHECK (size >= 0),
      body bytea NOT NULL,
      subject text NOT NULL,
      purpose text NOT NULL,
      stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (shard, stream))
    """,
    """
    CREATE TABLE subject_key (
      subject text NOT NULL,
      purpose text NOT NULL,
      wrapped bytea NOT NULL,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (subject, purpose))
    """,
    """
    CREATE TABLE consumer (
      name text PRIMARY KEY,
      version integer NOT NULL,
      cursor bigint NOT NULL DEFAULT 0 CHECK (cursor >= 0))
    """,
    """
    CREATE TABLE parked (
      consumer text NOT NULL,
      shard smallint NOT NULL,
      stream_id uuid NOT NULL,
      stream text NOT NULL,
      from_position bigint NOT NULL,
      error text NOT NULL,
      at timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (consumer, shard, stream_id))
    """,
    """
    CREATE TABLE number_series (
      series text PRIMARY KEY,
      last bigint NOT NULL CHECK (last > 0))
    """,
    """
    CREATE TABLE installation (
      one boolean PRIMARY KEY DEFAULT true CHECK (one),
      mode text NOT NULL CHECK (mode IN ('sandbox', 'production')),
      clock timestamptz,
      stamped_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT installation_clock_only_in_the_sandbox
        CHECK ((mode = 'sandbox') = (clock IS NOT NULL)))
    """,
    """
    CREATE TABLE heartbeat (
      name text PRIMARY KEY,
      at timestamptz NOT NULL)
    """,
)

DROPS = (
    "DROP TABLE heartbeat, installation, number_series, parked, consumer, subject_key,"
    " document_file, inbox, timer, effect, command_log, feed_state, feed, event",
    "DROP SEQUENCE event_position",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    for statement in DROPS:
        op.execute(statement)
