"""Recording a decision: one attempt, one statement, with what the flows attach to it. The way back
for a command that was recorded before is here, too."""

import hashlib
from contextlib import AbstractContextManager, nullcontext
from uuid import UUID

import msgspec

from domain.deciding import Decided, Preview, decide, preview_of, react
from domain.invoices.numbering import number
from domain.kernel.ids import name_uuid, on_shard, read_id, shard_of
from domain.kernel.message import Command, Effect, Refused, Timer
from domain.kernel.time import BEGINNING
from domain.kernel.value import Value
from domain.stream import effects, failpoints, series, store, timers
from domain.stream.database import Connection
from domain.stream.lease import LeaseChange


class Written(Value):
    """One recorded event: where it stands and what it is called."""

    stream: str
    version: int
    type: str


class Result(Value):
    """What a command recorded; empty means "already so"."""

    command_id: UUID
    events: tuple[Written, ...] = ()


class Moved(Exception):
    """The world changed since the preview, and so did the outcome: nothing was recorded."""

    def __init__(self, preview: Preview) -> None:
        super().__init__("the outcome is no longer the one that was previewed")
        self.preview = preview


class Envelope(msgspec.Struct, frozen=True):
    """What comes with a command and is not its content."""

    command_id: UUID
    content: bytes
    cause: str | None
    previewed: str | None
    lease: LeaseChange | None
    fired: tuple[int, UUID] | None


def record(connection: Connection, command: Command, envelope: Envelope) -> Result:
    """One attempt. With number series inside a transaction, so that a refusal leaves no gap."""
    wanted = command.series()
    scope: AbstractContextManager[object] = connection.transaction() if wanted else nullcontext()
    try:
        with scope:
            numbers = {name: number(name, series.take(connection, name)) for name in sorted(wanted)}
            if numbers:
                failpoints.reach("number-allocated")
            decided = decide(connection, command, numbers)
            if wanted and not decided.decision:
                raise _Nothing
            return _append(connection, command, envelope, decided)
    except _Nothing:
        return _append(connection, command, envelope, Decided(decision=(), states={}, versions={}))


class _Nothing(Exception):
    """Decided "already so" after numbers were taken: roll them back, then log the command."""


def _append(
    connection: Connection, command: Command, envelope: Envelope, decided: Decided
) -> Result:
    if envelope.previewed is not None:
        preview = preview_of(command, decided)
        if preview.digest != envelope.previewed:
            raise Moved(preview)
    shard = shard_of(read_id(command.streams()[0]))
    writes, new_effects, new_timers = _consequences(command, envelope, decided)
    result = Result(
        command_id=envelope.command_id,
        events=tuple(
            Written(stream=new.stream, version=new.version, type=new.event.wire()) for new in writes
        ),
    )
    failpoints.reach("before-append")
    batch = store.Batch(
        shard=shard,
        command_id=envelope.command_id,
        request_hash=envelope.content,
        result=msgspec.json.encode(result.events),
        writes=writes,
        effects=new_effects,
        timers=new_timers,
        lease=envelope.lease,
        fired=envelope.fired,
    )
    store.append(connection, batch)
    return result


def _consequences(
    command: Command, envelope: Envelope, decided: Decided
) -> tuple[list[store.NewEvent], list[store.NewEffect], list[store.NewTimer]]:
    """The events with their versions, and the effects and timers flows attach to them. Commands
    are not among them: the follower sends those once the event is in the feed."""
    writes: list[store.NewEvent] = []
    new_effects: list[store.NewEffect] = []
    new_timers: list[store.NewTimer] = []
    versions = dict(decided.versions)
    cause = None if envelope.cause is None else UUID(envelope.cause)
    for n, (stream, event, reactions) in enumerate(react(decided)):
        versions[stream] += 1
        event_id = name_uuid(envelope.command_id, n)
        new = store.NewEvent(
            stream=stream,
            version=versions[stream],
            event_id=event_id,
            event=event,
            actor=command.by,
            cause_id=cause,
        )
        writes.append(new)
        for k, reaction in enumerate(reactions):
            if isinstance(reaction, Effect):
                new_effects.append(_new_effect(reaction, event_id, k))
            elif isinstance(reaction, Timer):
                new_timers.append(_new_timer(reaction, event_id))
    return writes, new_effects, new_timers


def _new_effect(effect: Effect, event_id: UUID, number: int) -> store.NewEffect:
    effect_id = on_shard(name_uuid(event_id, "effect", number), shard_of(read_id(effect.stream)))
    payload = {**effect.payload, "cause": str(event_id)}
    return store.NewEffect(
        effect_id=effect_id, effect=msgspec.structs.replace(effect, payload=payload)
    )


def _new_timer(timer: Timer, event_id: UUID) -> store.NewTimer:
    payload = {**timer.payload, "cause": str(event_id)}
    return store.NewTimer(
        timer_id=name_uuid(timer.stream, timer.kind, timer.due_at),
        timer=msgspec.structs.replace(timer, payload=payload),
    )


def content_hash(command: Command) -> bytes:
    """The same command id with other content is refused."""
    timeless = command.stamped(BEGINNING)
    content = msgspec.json.encode((type(command).__name__, timeless))
    return hashlib.sha256(content).digest()


def first_result(connection: Connection, command: Command, envelope: Envelope) -> Result | None:
    """What this command id recorded before. Its effect and timer may not know yet: they do now."""
    shard = shard_of(read_id(command.streams()[0]))
    known = store.find_command(connection, shard, envelope.command_id)
    if known is None:
        return None
    if known[0] != envelope.content:
        raise Refused("This was sent before with other content. Open the page again.")
    if envelope.lease is not None:
        effects.finish(connection, envelope.lease)
    if envelope.fired is not None:
        timers.drop(connection, *envelope.fired)
    events = msgspec.json.decode(known[1], type=tuple[Written, ...])
    return Result(command_id=envelope.command_id, events=events)
