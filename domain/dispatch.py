"""The one way in: a command is decided over loaded streams and recorded in one statement; a preview
is the same decision without recording; a notification is stored before it is answered."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from uuid import UUID

import msgspec

from domain import telling
from domain.deciding import CODEC, Preview, decide, preview_of
from domain.flows.flow import Flow
from domain.kernel.ids import prefix_of
from domain.kernel.message import Command, Recorded, Refused
from domain.observing import traces
from domain.payments import hints
from domain.payments.payment import Payment
from domain.payments.provider import Provider
from domain.payments.refund import Refund
from domain.readmodels.registry import READMODELS
from domain.recording import Envelope, Moved, Result, Written, content_hash, first_result, record
from domain.registry import thing_of
from domain.stream import (
    clock,
    effects,
    feed,
    files,
    inbox,
    installation,
    store,
    subscription,
    wake,
)
from domain.stream.database import Connection, Database
from domain.stream.installation import InstallationRefused
from domain.stream.keys import CannotOpen
from domain.stream.lease import LeaseChange
from domain.stream.together import Together

__all__ = [
    "Damaged",
    "Dispatcher",
    "InstallationRefused",
    "Moved",
    "Preview",
    "Result",
    "TooManyConflicts",
    "Written",
    "open_dispatcher",
]

ATTEMPTS = 5
"""A command without a preview is decided again that often when somebody was faster."""

PATIENCE_S = 1.0
"""How long a page waits for its own events (ARCHITECTURE, "The stream, exactly")."""
LOOK_AGAIN_S = 0.004


class TooManyConflicts(store.Conflict):
    """Others were faster five times in a row; nothing was recorded. Being a Conflict, it parks no
    stream of a flow: the follower sends the command again."""


class Damaged(Exception):
    """A stored file is not the one that was stored: it cannot be opened."""


class Dispatcher:
    """Holds the database; safe to share between threads."""

    def __init__(self, database: Database, wake: Callable[[], object] = lambda: None) -> None:
        """`wake` is called after each commit; losing a wake-up costs a poll interval."""
        self.database = database
        self._wake = wake
        self._inbox = Together(self._store)

    def now(self) -> datetime:
        """The Clock: business time."""
        with self.database.connection() as connection:
            return clock.now(connection)

    def state(self, stream: str) -> object:
        """The state of one stream as it stands now."""
        with self.database.connection() as connection:
            loaded = store.load(connection, CODEC, [stream])[stream]
        thing = thing_of(stream)
        return thing.rebuild(loaded.events, thing.begin())

    def preview(self, command: Command) -> Preview:
        """Takes no number, locks nothing, records nothing. Raises Refused as dispatch would."""
        with self.database.connection() as connection:
            stamped = command.stamped(clock.now(connection))
            numbers = dict.fromkeys(stamped.series(), "")
            decided = decide(connection, stamped, numbers)
        return preview_of(stamped, decided)

    def dispatch(
        self,
        command: Command,
        command_id: UUID,
        *,
        cause: str | None = None,
        previewed: str | None = None,
        lease: LeaseChange | None = None,
        fired: tuple[int, UUID] | None = None,
    ) -> Result:
        """Records what the command decides, once for one `command_id`.

        `cause` is the event that led to it, `previewed` the digest a person confirmed, `lease` the
        effect it settles, `fired` the timer it came from. Raises Refused, Moved, LeaseLost,
        TooManyConflicts.
        """
        envelope = Envelope(command_id, content_hash(command), cause, previewed, lease, fired)
        with telling.command(self.database, command, envelope) as tell:
            return self._record(command, envelope, tell)

    def _record(
        self, command: Command, envelope: Envelope, tell: Callable[[Result], None]
    ) -> Result:
        for _ in range(ATTEMPTS):
            with self.database.connection() as connection:
                stamped = command.stamped(clock.now(connection))
                try:
                    result = record(connection, stamped, envelope)
                except (store.AlreadyLogged, Refused, Moved) as error:
                    first = first_result(connection, stamped, envelope)
                    if first is None:
                        raise error
                    return first
                except store.Conflict:
                    continue
            tell(result)
            self._wake()
            return result
        raise TooManyConflicts(type(command).__name__)

    def follow(self, flow: Flow, recorded: Recorded) -> None:
        """Sends the commands with which a flow answers one event; again is harmless."""
        if prefix_of(recorded.stream) not in flow.watches:
            return
        with self.database.connection() as connection:
            loaded = store.load(connection, CODEC, [recorded.stream])[recorded.stream]
        thing = thing_of(recorded.stream)
        state = thing.rebuild(loaded.events[: recorded.version], thing.begin())
        for n, reaction in enumerate(flow.react(recorded.event, state)):
            if isinstance(reaction, Command):
                command_id = flow.command_id(recorded.event_id, n)
                with traces.span(f"flow {flow.name}", "consumer", event_id=recorded.event_id):
                    telling.story(self.database, recorded.stream, recorded.event_id)
                    self.dispatch(reaction, command_id, cause=recorded.event_id)

    def receive(self, hint: inbox.Hint) -> UUID | None:
        """Stores a notification and its `translate` effect, with those that other threads bring at
        the same moment; None when it was stored before."""
        telling.notification(self.database, hint.provider, hint.body)
        return self._inbox.add(hint)

    def _store(self, hints: Sequence[inbox.Hint]) -> list[UUID | None]:
        with self.database.connection() as connection:
            effect_ids = inbox.receive_all(connection, hints)
        news = zip(hints, effect_ids, strict=True)
        if any(effect_id and not hint.needless for hint, effect_id in news):
            self._wake()
        return effect_ids

    def hear(
        self, provider: str, body: bytes, headers: Mapping[str, str], *, verified: bool
    ) -> bool:
        """Stores a provider's hook before it is answered, once; False when it is none."""
        pointer = hints.read(provider, body)
        if pointer is None:
            return False
        self.receive(
            inbox.Hint(
                provider=provider,
                notification_id=pointer.notification_id,
                object_id=pointer.object_id,
                headers=headers,
                body=body,
                verdict="verified" if verified else "undecided",
                needless=pointer.needless,
            )
        )
        return True

    def ask_again(self, stream: str) -> bool:
        """Asks the provider now instead of later: about a payment or refund, or whether it
        answers at all; False when nothing is left to ask."""
        state = self.state(stream)
        if not isinstance(state, Payment | Refund | Provider) or not state.waiting:
            return False
        with self.database.connection() as connection:
            asked = effects.hurry(connection, stream)
            if not asked and not isinstance(state, Provider) and state.reference is not None:
                hint = _question(clock.now(connection), state.reference)
                asked = inbox.receive(connection, hint) is not None
        self._wake()
        return asked

    def wait_visible(self, result: Result) -> bool:
        """Waits until every read model has passed what was written; False after a second: then
        the screen says that it is catching up, and guesses nothing."""
        give_up = time.monotonic() + PATIENCE_S
        written = [(event.stream, event.version) for event in result.events]
        names = [model.name for model in READMODELS]
        while written and time.monotonic() < give_up:
            with self.database.connection() as connection:
                position = feed.position_of(connection, written)
                if position is not None and subscription.passed(connection, names, position):
                    return True
            time.sleep(LOOK_AGAIN_S)
        return not written

    def document(self, stream: str) -> bytes | None:
        """The PDF of a document as it was stored; None while it is being made. Raises Damaged."""
        with self.database.connection() as connection:
            try:
                return files.load_file(connection, stream)
            except files.FileGone:
                return None
            except CannotOpen as error:
                raise Damaged(stream) from error

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for the queries of read models."""
        with self.database.connection() as connection:
            yield connection


def _question(at: datetime, reference: str) -> inbox.Hint:
    """A notification of our own making: "look at this object". At most one for each second."""
    kind = "payment_intent" if reference.startswith("pi_") else "refund"
    return inbox.Hint(
        provider="stripe",
        notification_id=f"ask-{reference}-{at:%Y%m%d%H%M%S}",
        object_id=reference,
        headers={hints.ASKED: kind},
        body=msgspec.json.encode({"ask": kind}),
        verdict="verified",
    )


def open_dispatcher(
    database_url: str, kek: bytes, redis_url: str, *, mode: str | None = None, pool_size: int = 8
) -> Dispatcher:
    """A dispatcher whose appends wake the follower. A database that is not of this `mode`, or of
    another key, lends nothing: everything raises InstallationRefused."""
    redis = wake.open_redis(redis_url)
    prove = None if mode is None else partial(installation.prove, mode=mode)
    database = Database(database_url, kek, pool_size=pool_size, prove=prove)
    return Dispatcher(database, partial(wake.publish, redis, wake.APPENDED))
