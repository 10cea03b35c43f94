"""Events as large as real ones, and the batches that record them. No part of the vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar
from uuid import UUID, uuid4

from domain.kernel.ids import on_shard, read_id, shard_of, write_id
from domain.kernel.message import Event
from domain.stream.codec import Codec
from domain.stream.store import Batch, NewEvent

KEK = bytes(range(32))
AT = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
REQUEST_HASH = bytes(32)


class SampleConfirmed(Event, frozen=True, kw_only=True):
    """About 330 bytes as JSON, like a payment's."""

    prefix: ClassVar[str] = "smp"
    amount: int
    currency: str = "EUR"
    provider: str = "stripe"
    reference: str = "pi_3QxkZ2LkdIwHu7ix0f5r8aVn"
    operation: str = "pay_1fme8bqvw95v4t0a5vw7e9n3kq"
    mandate: str = "man_04mx1jc9m2qj5t9whr0zq7v1ke"
    contract: str = "ct_7k3v5w0j2xq9n8m4b6t1r5y0ae"
    remark: str = "instalment 4 of 12, household contents, due 2026-12-01"
    confirmed_on: datetime = AT


CODEC = Codec([SampleConfirmed])


def new_stream(shard: int | None = None) -> str:
    stream = uuid4()
    return write_id("smp", stream if shard is None else on_shard(stream, shard))


def batch(stream: str, events: Sequence[Event], after: int = 0) -> Batch:
    shard = shard_of(read_id(stream))
    return Batch(
        shard=shard,
        command_id=uuid4(),
        request_hash=REQUEST_HASH,
        result=b'{"events": 1}',
        writes=[
            NewEvent(stream=stream, version=after + n, event_id=_id(), event=event, actor="bench")
            for n, event in enumerate(events, 1)
        ],
    )


def events(count: int) -> list[Event]:
    return [SampleConfirmed(at=AT, amount=n) for n in range(count)]


def _id() -> UUID:
    return uuid4()
