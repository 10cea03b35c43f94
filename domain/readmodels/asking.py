"""How often the provider was turned to about something unanswered, and when the next time is. It
reads the effect itself: an attempt is no event, so no read model could tell."""

from datetime import datetime
from typing import LiteralString

import msgspec

from domain.kernel.value import Value


class Outage(Value):
    """The provider does not answer, since that business time. `waiting` counts our orders."""

    provider: str
    since: datetime | None
    waiting: int


class Asking(Value):
    """The effect that waits for the answer. `next_s`: seconds of real time until the next look, 0
    when it is due; `parked`: nobody looks before a person releases it."""

    attempts: int
    next_s: int
    parked: bool
    due: bool = True
    outage: Outage | None = None


ORDERS: LiteralString = "w.kind IN ('submit_payment', 'submit_refund')"
"""What a person calls an order, among all that waits for a provider."""
WAITING: LiteralString = """
FROM effect w
WHERE w.status IN ('waiting', 'unknown') AND w.payload->>'provider' = c.provider
  AND w.due_at <= (SELECT coalesce(clock, clock_timestamp()) FROM installation)
"""
"""All that is due and would call the provider of the circuit `c`."""
OF_STREAM = f"""
(SELECT jsonb_build_object(
          'attempts', e.attempts,
          'next_s', greatest(0, ceil(extract(epoch FROM
                      coalesce(e.not_before, clock_timestamp()) - clock_timestamp())))::int,
          'parked', e.status = 'parked',
          'due', e.due_at <= (SELECT coalesce(clock, clock_timestamp()) FROM installation),
          'outage', (
            SELECT jsonb_build_object(
                     'provider', c.provider, 'since', c.failing_since,
                     'waiting', (SELECT count(*) FILTER (WHERE {ORDERS}) {WAITING}))
              FROM circuit c
             WHERE c.provider = e.payload->>'provider' AND c.opening > c.closed))::text
   FROM effect e
  WHERE e.stream = {{stream}} AND e.status <> 'done'
    AND e.kind IN ('submit_payment', 'submit_refund')
  ORDER BY e.due_at DESC LIMIT 1)
"""  # noqa: S608 constants only
"""A column for the one query of a page; `{stream}` is the column that holds its stream."""

_ASKING = msgspec.json.Decoder(Asking)


def read_asking(found: str | None) -> Asking | None:
    return None if found is None else _ASKING.decode(found)
