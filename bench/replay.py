"""Replaying the feed into a Python read model: read, decode and fold, in events per second."""

from __future__ import annotations

import time

from bench import report
from bench.sample import CODEC, KEK, SampleConfirmed, batch, events, new_stream
from domain.stream.database import Connection, connect
from domain.stream.feed import read_feed
from domain.stream.sequencer import tick
from domain.stream.store import append
from jobs.schema import fresh_database

EVENTS, PER_STREAM, BATCH, ROUNDS = 60_000, 10, 2_000, 7


def _replay(connection: Connection) -> float:
    """Events per second into totals per stream, as a screen's list would keep them."""
    totals: dict[str, int] = {}
    position, started = 0, time.perf_counter()
    while batch_ := read_feed(connection, CODEC, position, BATCH):
        for recorded in batch_:
            event = recorded.event
            if isinstance(event, SampleConfirmed):
                totals[recorded.stream] = totals.get(recorded.stream, 0) + event.amount
        position = batch_[-1].feed_position
    elapsed = time.perf_counter() - started
    assert len(totals) == EVENTS // PER_STREAM
    return position / elapsed


def main() -> dict[str, float]:
    with fresh_database() as url, connect(url, KEK) as connection:
        started = time.perf_counter()
        with connection.transaction():
            for _ in range(EVENTS // PER_STREAM):
                append(connection, batch(new_stream(), events(PER_STREAM)))
        written = time.perf_counter() - started
        started = time.perf_counter()
        sequenced = tick(connection)
        ticked = time.perf_counter() - started
        connection.execute("ANALYZE")
        rates = [_replay(connection) for _ in range(ROUNDS)]
    numbers = {
        "events_per_s": max(rates),
        "events_per_s_worst": min(rates),
        "import_events_per_s": EVENTS / written,
        "tick_events_per_s": sequenced / ticked,
    }
    return report.show("replay", numbers, {"events_per_s": ">= 100000"})


if __name__ == "__main__":
    main()
