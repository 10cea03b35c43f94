"""The feed as consumers see it: recorded events in their gapless order, sealed fields opened, the
keys read in the same query. It moves no cursor."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from uuid import UUID

from psycopg.rows import TupleRow

from domain.kernel.ids import read_id, shard_of, write_id
from domain.kernel.message import Event, Recorded
from domain.stream.codec import Codec, Undecodable, unreadable
from domain.stream.database import Connection
from domain.stream.keys import CannotOpen, Opener

# One look into the index per position: a plan that scans the events would grow with all of history.
_EVENTS = """
SELECT f.feed_position, e.event_id::text, uuid_send(e.stream_id), e.version, e.type, e.schema_v,
       e.data::text, e.command_id::text, e.cause_id::text, e.actor, e.recorded_at,
       e.sealed, e.subject, e.purpose,
       CASE WHEN e.sealed IS NOT NULL THEN (
         SELECT k.wrapped FROM subject_key k
          WHERE k.subject = e.subject AND k.purpose = e.purpose) END
  FROM f CROSS JOIN LATERAL (
         SELECT * FROM event e
          WHERE e.shard = f.shard AND e.stream_id = f.stream_id AND e.version = f.version
         OFFSET 0) e
 ORDER BY f.feed_position
"""
_READ = f"""
WITH f AS (SELECT * FROM feed WHERE feed_position > %(after)s
            ORDER BY feed_position LIMIT %(limit)s) {_EVENTS}"""  # noqa: S608 constants only
_READ_STREAM = f"""
WITH f AS (SELECT * FROM feed WHERE shard = %(shard)s AND stream_id = %(stream_id)s
              AND feed_position > %(after)s AND feed_position <= %(until)s) {_EVENTS}
"""  # noqa: S608 constants only
_EVERYTHING = 2**63 - 1


def read_feed(connection: Connection, codec: Codec, after: int, limit: int) -> list[Recorded]:
    """The events behind position `after`. One that cannot be read stands there as Unreadable."""
    rows = connection.execute(
        _READ.encode(), {"after": after, "limit": limit}, prepare=True, binary=True
    )
    return _recorded(connection, codec, rows)


def read_stream_feed(
    connection: Connection, codec: Codec, stream: str, after: int = 0, until: int = _EVERYTHING
) -> list[Recorded]:
    """What the feed holds of one stream between two positions, `until` included."""
    id_ = read_id(stream)
    values = {"shard": shard_of(id_), "stream_id": id_, "after": after, "until": until}
    rows = connection.execute(_READ_STREAM.encode(), values, prepare=True, binary=True)
    return _recorded(connection, codec, rows)


def position_of(connection: Connection, written: Sequence[tuple[str, int]]) -> int | None:
    """The highest feed position of these (stream, version); None until all are sequenced."""
    ids = [read_id(stream) for stream, _ in written]
    row = connection.execute(
        "SELECT max(f.feed_position), count(f.feed_position) FROM feed f"
        "  JOIN unnest(%s::smallint[], %s::uuid[], %s::int[]) AS w (shard, stream_id, version)"
        " USING (shard, stream_id, version)",
        ([shard_of(id_) for id_ in ids], ids, [version for _, version in written]),
        prepare=True,
    ).fetchone()
    return int(row[0]) if row and written and row[1] == len(written) else None


def _recorded(connection: Connection, codec: Codec, rows: Iterable[TupleRow]) -> list[Recorded]:
    opener, decode, prefix = Opener(connection.kek), codec.decode, codec.prefix
    found = []
    for row in rows:
        position, event_id, stream_id, version, wire, schema_v, data = row[:7]
        command_id, cause_id, actor, recorded_at, sealed, subject, purpose, wrapped = row[7:]
        event: Event
        try:
            clear = None
            if sealed is not None:
                aad = UUID(event_id).bytes
                clear = opener.open_row((subject, purpose), wrapped, sealed, aad)
            event = decode(wire, schema_v, data, clear)
        except (Undecodable, CannotOpen) as error:
            event = unreadable(error)
        recorded = Recorded(
            feed_position=position,
            event_id=event_id,
            stream=_stream_text(prefix(wire), stream_id),
            version=version,
            event=event,
            command_id=command_id,
            cause_id=cause_id,
            actor=actor,
            recorded_at=recorded_at,
        )
        found.append(recorded)
    return found


@lru_cache(maxsize=65536)
def _stream_text(prefix: str, stream_id: bytes) -> str:
    return write_id(prefix, UUID(bytes=stream_id))
