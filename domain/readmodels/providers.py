"""How the payment providers do: circuit, reason, since when, how much waits. It reads the circuit
and the effects themselves: calls and attempts are no events, so no read model could tell."""

from datetime import datetime
from typing import Literal

import msgspec

from domain.kernel.value import Value
from domain.readmodels.asking import ORDERS, WAITING
from domain.stream.database import Connection


class Provider(Value):
    """`since` is business time, `next_try_s` seconds of real time. `half-open`: one question is
    under way. `waiting` counts what is due and would call this provider, `orders` those of it
    that move money. A closed circuit with a `next_try_s` belongs to a provider that asked us to
    wait."""

    provider: str
    circuit: Literal["closed", "open", "half-open"]
    reason: str
    since: datetime | None
    failures: int
    next_try_s: int | None
    waiting: int
    orders: int


_PROVIDERS = f"""
SELECT c.provider,
       CASE WHEN c.opening <= c.closed THEN 'closed'
            WHEN p.status = 'leased' THEN 'half-open' ELSE 'open' END,
       c.reason, c.failing_since, c.failures,
       CASE WHEN c.opening > c.closed OR c.held_until > clock_timestamp()
            THEN greatest(0, ceil(extract(epoch FROM greatest(c.held_until, p.not_before)
                   - clock_timestamp())))::int END,
       n.waiting, n.orders
  FROM circuit c
  CROSS JOIN LATERAL (SELECT count(*) AS waiting, count(*) FILTER (WHERE {ORDERS}) AS orders
                        {WAITING}) n
  LEFT JOIN LATERAL (
         SELECT e.status, e.not_before FROM effect e
          WHERE e.kind = 'probe_provider' AND e.status IN ('waiting', 'leased')
            AND e.payload->>'probes' = c.provider
          ORDER BY e.due_at DESC LIMIT 1) p ON true
 WHERE c.provider = coalesce(%s, c.provider)
 ORDER BY c.provider
"""  # noqa: S608 constants only


def providers(connection: Connection) -> list[Provider]:
    """All of them, by name."""
    return _read(connection, None)


def provider(connection: Connection, name: str) -> Provider | None:
    found = _read(connection, name)
    return found[0] if found else None


def _read(connection: Connection, name: str | None) -> list[Provider]:
    rows = connection.execute(_PROVIDERS.encode(), (name,), prepare=True)
    fields = Provider.__struct_fields__
    return [msgspec.convert(dict(zip(fields, row, strict=True)), Provider) for row in rows]
