"""How often the provider was turned to about something unanswered, and when the next time is. It
reads the effect itself: an attempt is no event, so no read model could tell."""

import msgspec

from domain.kernel.value import Value


class Asking(Value):
    """The effect that waits for the answer. `next_s`: seconds of real time until the next look, 0
    when it is due; `parked`: nobody looks before a person releases it."""

    attempts: int
    next_s: int
    parked: bool


OF_STREAM = """
(SELECT jsonb_build_object(
          'attempts', e.attempts,
          'next_s', greatest(0, ceil(extract(epoch FROM
                      coalesce(e.not_before, clock_timestamp()) - clock_timestamp())))::int,
          'parked', e.status = 'parked')::text
   FROM effect e
  WHERE e.stream = {stream} AND e.status <> 'done'
    AND e.kind IN ('submit_payment', 'submit_refund')
  ORDER BY e.due_at DESC LIMIT 1)
"""
"""A column for the one query of a page; `{stream}` is the column that holds its stream."""

_ASKING = msgspec.json.Decoder(Asking)


def read_asking(found: str | None) -> Asking | None:
    return None if found is None else _ASKING.decode(found)
