"""The durable tables that the data browser shows beside the read models: what it selects of each,
as DDL. Of sealed bytes and files it selects length or hash, of keys and sessions nothing."""

from enum import StrEnum
from typing import LiteralString, TypedDict


class Group(StrEnum):
    READ = "read"
    STREAM = "stream"
    AUDIT = "audit"


class Kept(TypedDict):
    """The arguments of `browse.view_of`; `indexes` as a read model writes them."""

    name: LiteralString
    group: Group
    table: LiteralString
    ddl: LiteralString
    key: tuple[LiteralString, ...]
    indexes: tuple[LiteralString, ...]


KEPT: tuple[Kept, ...] = (
    {
        "name": "event",
        "group": Group.STREAM,
        "table": """
        (SELECT feed_position, type, version, actor, recorded_at, data, schema_v, event_id,
                command_id, cause_id, shard, stream_id, subject, purpose,
                octet_length(sealed) AS sealed_bytes
           FROM feed JOIN event USING (shard, stream_id, version))
        """,
        "ddl": """
          feed_position bigint NOT NULL, type text NOT NULL, version integer NOT NULL,
          actor text NOT NULL, recorded_at timestamptz NOT NULL, data jsonb NOT NULL,
          schema_v smallint NOT NULL, event_id uuid NOT NULL, command_id uuid NOT NULL,
          cause_id uuid, shard smallint NOT NULL, stream_id uuid NOT NULL, subject text,
          purpose text, sealed_bytes integer
        """,
        "key": ("feed_position",),
        "indexes": (),
    },
    {
        "name": "command_log",
        "group": Group.STREAM,
        "table": "(SELECT shard, command_id, at, result FROM command_log)",
        "ddl": """
          shard smallint NOT NULL, command_id uuid NOT NULL, at timestamptz NOT NULL, result jsonb
        """,
        "key": ("shard", "command_id"),
        "indexes": (),
    },
    {
        "name": "effect",
        "group": Group.STREAM,
        "table": """
        (SELECT shard, effect_id, kind, stream, status, attempts, due_at, queue, not_before,
                first_rung_at, lease_until, parked_at, error, payload, result, created_at
           FROM effect)
        """,
        "ddl": """
          shard smallint NOT NULL, effect_id uuid NOT NULL, kind text NOT NULL,
          stream text NOT NULL, status text NOT NULL, attempts integer NOT NULL,
          due_at timestamptz NOT NULL, queue text NOT NULL, not_before timestamptz,
          first_rung_at timestamptz, lease_until timestamptz, parked_at timestamptz, error text,
          payload jsonb NOT NULL, result jsonb, created_at timestamptz NOT NULL
        """,
        "key": ("shard", "effect_id"),
        "indexes": ("(stream)",),
    },
    {
        "name": "timer",
        "group": Group.STREAM,
        "table": "timer",
        "ddl": """
          shard smallint NOT NULL, timer_id uuid NOT NULL, due_at timestamptz NOT NULL,
          kind text NOT NULL, stream text NOT NULL, payload jsonb NOT NULL
        """,
        "key": ("shard", "timer_id"),
        "indexes": ("(due_at)",),
    },
    {
        "name": "inbox",
        "group": Group.STREAM,
        "table": """
        (SELECT provider, notification_id, object_id, verdict, state, reason, tries, received_at,
                settled_at, effect_id, octet_length(headers) AS headers_bytes,
                octet_length(body) AS body_bytes
           FROM inbox)
        """,
        "ddl": """
          provider text NOT NULL, notification_id text NOT NULL, object_id text,
          state text NOT NULL, verdict text NOT NULL, reason text,
          received_at timestamptz NOT NULL, settled_at timestamptz, tries integer NOT NULL,
          effect_id uuid NOT NULL, headers_bytes integer, body_bytes integer
        """,
        "key": ("provider", "notification_id"),
        "indexes": (),
    },
    {
        "name": "document_file",
        "group": Group.STREAM,
        "table": """
        (SELECT shard, stream, encode(sha256, 'hex') AS sha256, size, subject, purpose, stored_at
           FROM document_file)
        """,
        "ddl": """
          shard smallint NOT NULL, stream text NOT NULL, sha256 text NOT NULL,
          size integer NOT NULL, subject text NOT NULL, purpose text NOT NULL,
          stored_at timestamptz NOT NULL
        """,
        "key": ("shard", "stream"),
        "indexes": (),
    },
    {
        "name": "consumer",
        "group": Group.STREAM,
        "table": "consumer",
        "ddl": "name text NOT NULL, version integer NOT NULL, cursor bigint NOT NULL",
        "key": ("name",),
        "indexes": (),
    },
    {
        "name": "parked",
        "group": Group.STREAM,
        "table": "parked",
        "ddl": """
          consumer text NOT NULL, shard smallint NOT NULL, stream_id uuid NOT NULL,
          stream text NOT NULL, from_position bigint NOT NULL, error text NOT NULL,
          at timestamptz NOT NULL
        """,
        "key": ("consumer", "shard", "stream_id"),
        "indexes": (),
    },
    {
        "name": "number_series",
        "group": Group.STREAM,
        "table": "number_series",
        "ddl": "series text NOT NULL, last bigint NOT NULL",
        "key": ("series",),
        "indexes": (),
    },
    {
        "name": "hook_refusal",
        "group": Group.STREAM,
        "table": "hook_refusal",
        "ddl": """
          provider text NOT NULL, reason text NOT NULL, day date NOT NULL, times bigint NOT NULL,
          last_at timestamptz NOT NULL
        """,
        "key": ("provider", "reason", "day"),
        "indexes": (),
    },
    {
        "name": "audit",
        "group": Group.AUDIT,
        "table": "audit",
        "ddl": """
          id bigint NOT NULL, at timestamptz NOT NULL, staff_id text, act text NOT NULL,
          outcome text NOT NULL, subject text, reason text, reference text, detail jsonb
        """,
        "key": ("id",),
        "indexes": ("(at)",),
    },
    {
        "name": "export",
        "group": Group.AUDIT,
        "table": """
        (SELECT id, list, requested_by, state, reason, rows_done, bytes, attempts, requested_at,
                ended_at, gone_at FROM export)
        """,
        "ddl": """
          id uuid NOT NULL, list text NOT NULL, requested_by text NOT NULL, state text NOT NULL,
          reason text, rows_done bigint NOT NULL, bytes bigint NOT NULL, attempts integer NOT NULL,
          requested_at timestamptz NOT NULL, ended_at timestamptz, gone_at timestamptz
        """,
        "key": ("id",),
        "indexes": (),
    },
)
