"""What a command, an effect, a reaction and a notification tell of themselves: ids for the log, a
span for the trace of their story. With tracing off nothing here asks the database."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from domain.kernel.ids import name_uuid
from domain.kernel.message import Command
from domain.observing import logs, traces
from domain.payments import hints
from domain.readmodels.origins import origin
from domain.recording import Envelope, Result
from domain.stream.database import Database

log = logging.getLogger("kontor.commands")


@contextmanager
def command(
    database: Database, one: Command, envelope: Envelope
) -> Iterator[Callable[[Result], None]]:
    """Call what it gives with the result."""
    name, command_id = type(one).__name__, str(envelope.command_id)
    with (
        logs.bind(command=name, command_id=command_id),
        traces.span(f"command {name}", command_id=command_id, actor=one.by),
    ):
        if traces.undecided():
            _place(database, one, envelope)
        yield _told


def story(database: Database, stream: str, cause: str | None = None) -> None:
    """The unit at hand goes on with the story of this stream, below the event `cause`."""
    if not traces.undecided():
        return
    with database.connection() as connection:
        found = origin(connection, stream)
    if found is not None:
        parent = traces.span_of_event(cause or found.event_id)
        traces.belongs(traces.trace_of_command(found.command_id), parent)


def notification(database: Database, provider: str, body: bytes) -> None:
    """A hint about an order of ours carries its id, so it goes on with the order's story."""
    if traces.undecided() and (about := hints.about(provider, body)):
        story(database, about)


def _place(database: Database, one: Command, envelope: Envelope) -> None:
    """Where the stream exists its story goes on; else this command begins one."""
    story(database, one.streams()[0], envelope.cause)
    traces.belongs(traces.trace_of_command(envelope.command_id))


def _told(result: Result) -> None:
    events = [name_uuid(result.command_id, n) for n in range(len(result.events))]
    if log.isEnabledFor(logging.INFO):
        ids = {
            "streams": list(dict.fromkeys(event.stream for event in result.events)),
            "events": [str(event_id) for event_id in events],
        }
        log.info("%s events recorded", len(events), extra={"ids": ids})
    if traces.enabled():
        for event, event_id in zip(result.events, events, strict=True):
            told: dict[str, traces.Value] = {
                "event_id": str(event_id),
                "stream": event.stream,
                "version": event.version,
            }
            traces.happened(f"event {event.type}", event_id, told)
