"""What lies where notifications are fetched and cannot be read at all: it stands in the inbox in
quarantine for as long as it lies there, without content and without an effect."""

from collections.abc import Mapping

from domain.kernel.ids import name_uuid
from domain.kernel.message import Refused
from domain.observing.errors import kept
from domain.stream.database import Connection
from domain.stream.inbox import Hint, Notification, sealed_row
from domain.stream.keys import house_key

_ENTRY = "entry-"
"""No provider's id and no hash of a file begins like this."""

_LET_GO = b"""
UPDATE inbox SET state = 'ignored', reason = %(gone)s,
                 settled_at = clock_timestamp()
 WHERE provider = %(provider)s AND state = 'quarantined'
   AND starts_with(notification_id, %(entry)s) AND NOT notification_id = ANY(%(notification_id)s)
"""
_HOLD = b"""
INSERT INTO inbox AS i (provider, notification_id, headers, body, verdict, effect_id, state, reason,
                        settled_at)
SELECT %(provider)s, h.notification_id, h.headers, h.body, 'undecided', h.effect_id, 'quarantined',
       h.reason, clock_timestamp()
  FROM unnest(%(notification_id)s::text[], %(headers)b::bytea[], %(body)b::bytea[],
              %(effect_id)s::uuid[], %(reason)s::text[])
       AS h (notification_id, headers, body, effect_id, reason)
 ORDER BY h.notification_id
ON CONFLICT (provider, notification_id) DO UPDATE
  SET state = 'quarantined', settled_at = clock_timestamp(), tries = i.tries + 1
  WHERE i.state = 'ignored'
"""


def hold_entries(connection: Connection, provider: str, odd: Mapping[str, str]) -> None:
    """`odd`: every name that cannot be read now, and why. What is not named is let go."""
    key = house_key(connection)
    hints = [
        Hint(
            provider=provider,
            notification_id=_ENTRY + name_uuid(name, why).hex,
            object_id=None,
            headers={"file": name},
            body=b"",
            verdict="undecided",
        )
        for name, why in odd.items()
    ]
    rows = [sealed_row(key, hint) for hint in hints]
    columns = ("notification_id", "headers", "body", "effect_id")
    values = {name: [row[name] for row in rows] for name in columns}
    gone = kept(Refused("It is no longer there, or it was changed."))
    about = {"provider": provider, "entry": _ENTRY, "gone": gone, "reason": list(odd.values())}
    connection.execute(_LET_GO, {**values, **about})
    connection.execute(_HOLD, {**values, **about})


def is_entry(notification: Notification) -> bool:
    return notification.notification_id.startswith(_ENTRY)
