"""The sequencer: gives everything that became visible between two snapshots the next gapless feed
positions, in the order of insertion. Nothing here is read by consumers but the feed itself."""

from domain.stream.database import Connection

_LOCK = 4711

# The planner cannot know that next to nothing is newer than the last snapshot; left alone it may
# read all of history for every tick. What it believes such a plan costs must not start the JIT.
_PLAN_BY_INDEX = "SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)"

_NEW = """
SELECT e.position, e.shard, e.stream_id, e.version
  FROM event e
 WHERE e.epoch = (SELECT epoch FROM feed_state WHERE one)
   AND e.xid >= (SELECT pg_snapshot_xmax(snap) FROM feed_state WHERE one)
 UNION ALL
SELECT e.position, e.shard, e.stream_id, e.version
  FROM event e
 WHERE e.epoch = (SELECT epoch FROM feed_state WHERE one)
   AND e.xid = ANY (ARRAY(SELECT pg_snapshot_xip(snap) FROM feed_state WHERE one))
"""

_LOOK = f"""
SELECT pg_current_xact_id_if_assigned() IS NULL,
       current_setting('transaction_isolation') = 'read committed',
       (SELECT system_id FROM feed_state WHERE one) = (SELECT system_identifier::text
                                               FROM pg_control_system()),
       EXISTS ({_NEW})
"""  # noqa: S608 constants only

_TICK = f"""
WITH new AS MATERIALIZED ({_NEW}),
     ins AS (
       INSERT INTO feed (feed_position, shard, stream_id, version)
       SELECT (SELECT last FROM feed_state WHERE one) + row_number() OVER (ORDER BY position),
              shard, stream_id, version
         FROM new
       RETURNING 1),
     moved AS (
       UPDATE feed_state
          SET snap = pg_current_snapshot(), last = last + (SELECT count(*) FROM ins)
        WHERE one)
SELECT count(*) FROM ins
"""  # noqa: S608 constants only

_RESEQUENCE = """
WITH ins AS (
       INSERT INTO feed (feed_position, shard, stream_id, version)
       SELECT (SELECT last FROM feed_state WHERE one) + row_number() OVER (ORDER BY e.position),
              e.shard, e.stream_id, e.version
         FROM event e
        WHERE NOT EXISTS (SELECT FROM feed f WHERE f.shard = e.shard
                             AND f.stream_id = e.stream_id AND f.version = e.version)
       RETURNING 1)
UPDATE feed_state
   SET last = last + (SELECT count(*) FROM ins), snap = pg_current_snapshot(),
       epoch = epoch + 1,
       system_id = (SELECT system_identifier::text FROM pg_control_system())
RETURNING epoch, (SELECT count(*) FROM ins)
"""


class NotItsOwnTransaction(Exception):
    """The tick was called where something had been written: its snapshot would hide that."""


def tick(connection: Connection) -> int:
    """Sequences what is new and says how much it was. An idle tick writes nothing.

    It is its own READ COMMITTED transaction, and nothing else writes in it: a snapshot never
    lists its own transaction, so what that wrote would be lost for ever.
    """
    with connection.transaction():
        _one(connection, _PLAN_BY_INDEX)
        own, read_committed, same_cluster, anything = _one(connection, _LOOK)
        if not own or not read_committed:
            raise NotItsOwnTransaction("the sequencer ticks in a transaction of its own")
        if not same_cluster:
            return resequence(connection)
        if not anything:
            return 0
        # One sequencer at a time; the next statement takes a fresh snapshot after the wait.
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,), prepare=True)
        return int(str(_one(connection, _TICK)[0]))


def resequence(connection: Connection) -> int:
    """After the tables moved to another cluster, whose transaction ids mean nothing here: feeds
    what has no position yet and starts a new epoch, so that old ids are never compared again."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        # Waits for writers that still use the old epoch, and keeps new ones out.
        connection.execute("LOCK TABLE event IN ACCESS EXCLUSIVE MODE")
        if _one(connection, _LOOK)[2]:
            return 0  # another sequencer did it while we waited
        epoch, count = (int(str(value)) for value in _one(connection, _RESEQUENCE))
        connection.execute(f"ALTER TABLE event ALTER COLUMN epoch SET DEFAULT {epoch}".encode())
        return count


def last_position(connection: Connection) -> int:
    return int(str(_one(connection, "SELECT last FROM feed_state")[0]))


def _one(connection: Connection, query: str) -> tuple[object, ...]:
    row = connection.execute(query.encode(), prepare=True).fetchone()
    if row is None:
        raise RuntimeError("feed_state has no row")
    return row
