"""What may happen to a leased effect, in SQL that the append and `effects.finish` share. The
fencing token decides: whoever lost the lease writes nothing."""

from typing import Literal, TypeAlias
from uuid import UUID

import msgspec

LEASE_S = 60.0
"""Longer than any provider call may take (connect 3 s, read 20 s); start-up asserts it."""

Then: TypeAlias = Literal["leased", "done", "unknown", "waiting"]


class LeaseLost(Exception):
    """Another worker has the effect, or it is settled; nothing was written."""


class LeaseChange(msgspec.Struct, frozen=True, kw_only=True):
    """Where a leased effect goes next. `leased` keeps it, with a fresh term."""

    effect_id: UUID
    shard: int
    token: UUID
    then: Then
    not_before_s: float | None = None
    result: dict[str, str] | None = None


SETTLE = """
UPDATE effect
   SET status = %(then)s,
       lease_until = CASE WHEN %(then)s = 'leased'
                          THEN clock_timestamp() + make_interval(secs => %(term_s)s) END,
       lease_token = CASE WHEN %(then)s = 'leased' THEN lease_token END,
       not_before = clock_timestamp() + make_interval(secs => %(not_before_s)s),
       first_rung_at = CASE WHEN %(then)s IN ('waiting', 'unknown') THEN NULL
                            ELSE first_rung_at END,
       result = coalesce(%(lease_result)s::jsonb, result),
       error = NULL
 WHERE shard = %(lease_shard)s AND effect_id = %(lease_effect)s
   AND status = 'leased' AND lease_token = %(lease_token)s
"""


def settle_values(change: LeaseChange) -> dict[str, object]:
    result = None if change.result is None else msgspec.json.encode(change.result).decode()
    return {
        "then": change.then,
        "term_s": LEASE_S,
        "not_before_s": change.not_before_s,
        "lease_result": result,
        "lease_shard": change.shard,
        "lease_effect": change.effect_id,
        "lease_token": change.token,
    }
