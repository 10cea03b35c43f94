"""Events and batches for the tests of the stream: a customer whose name is sealed, a counter that
is not. They are no part of Kontor's vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import ClassVar
from uuid import UUID, uuid4

import msgspec

from domain.kernel.ids import on_shard, prefix_of, read_id, shard_of, write_id
from domain.kernel.message import Effect, Event, Purpose, Sealed, Timer
from domain.stream.codec import Codec
from domain.stream.store import Batch, LeaseChange, NewEffect, NewEvent, NewTimer

AT = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
KEK = bytes(range(32))


class Counted(Event, frozen=True, kw_only=True):
    prefix: ClassVar[str] = "cnt"
    amount: int
    note: str = ""


class Named(Event, frozen=True, kw_only=True):
    prefix: ClassVar[str] = "cus"
    purpose: ClassVar[Purpose] = "contact"
    customer: str
    city: str
    name: Sealed[str]
    lines: Sealed[list[str]] = None

    @property
    def seal_subject(self) -> str | None:
        return self.customer


CODEC = Codec([Counted, Named])


def new_stream(prefix: str = "cnt", shard: int = 5) -> str:
    return write_id(prefix, on_shard(uuid4(), shard))


def counted(amount: int = 1, note: str = "") -> Counted:
    return Counted(at=AT, amount=amount, note=note)


def named(customer: str, name: str | None = "Nadia Brandt") -> Named:
    return Named(at=AT, customer=customer, city="Köln", name=name, lines=["a", "b"])


def writes(stream: str, events: Sequence[Event], after: int = 0) -> list[NewEvent]:
    return [
        NewEvent(
            stream=stream,
            version=after + n,
            event_id=on_shard(uuid4(), shard_of(read_id(stream))),
            event=event,
            actor="test",
        )
        for n, event in enumerate(events, 1)
    ]


def batch(
    new: Sequence[NewEvent] = (),
    *,
    command_id: UUID | None = None,
    effects: Sequence[NewEffect] = (),
    timers: Sequence[NewTimer] = (),
    lease: LeaseChange | None = None,
    fired: tuple[int, UUID] | None = None,
) -> Batch:
    shard = shard_of(read_id(new[0].stream)) if new else 5
    return Batch(
        shard=shard,
        command_id=command_id or uuid4(),
        request_hash=sha256(b"content").digest(),
        result=msgspec.json.encode({"events": [str(n.event_id) for n in new]}),
        writes=new,
        effects=effects,
        timers=timers,
        lease=lease,
        fired=fired,
    )


def effect_of(stream: str, due_at: datetime = AT, kind: str = "probe") -> NewEffect:
    effect_id = on_shard(uuid4(), shard_of(read_id(stream)))
    effect = Effect(kind=kind, stream=stream, due_at=due_at, payload={"of": prefix_of(stream)})
    return NewEffect(effect_id=effect_id, effect=effect)


def timer_of(stream: str, due_at: datetime = AT) -> NewTimer:
    return NewTimer(timer_id=uuid4(), timer=Timer(kind="expire", stream=stream, due_at=due_at))
