"""Loading one stream of 1,000 events and folding it, in milliseconds."""

from __future__ import annotations

import time
from functools import reduce
from statistics import median

from bench import report
from bench.sample import CODEC, KEK, SampleConfirmed, batch, events, new_stream
from domain.kernel.message import Event
from domain.stream.database import Connection, connect
from domain.stream.store import append, load
from jobs.schema import fresh_database

SIZES, ROUNDS, BACKGROUND = (10, 100, 1000), 60, 2_000


def _evolve(total: int, event: Event) -> int:
    return total + event.amount if isinstance(event, SampleConfirmed) else total


def _once(connection: Connection, stream: str) -> float:
    started = time.perf_counter()
    loaded = load(connection, CODEC, [stream])[stream]
    total = reduce(_evolve, loaded.events, 0)
    elapsed = time.perf_counter() - started
    assert total == sum(range(loaded.version))
    return elapsed * 1000


def main() -> dict[str, float]:
    numbers = {}
    with fresh_database() as url, connect(url, KEK) as connection:
        streams = {size: new_stream() for size in SIZES}
        for size, stream in streams.items():
            append(connection, batch(stream, events(size)))
        for _ in range(BACKGROUND // 100):
            append(connection, batch(new_stream(), events(100)))
        connection.execute("ANALYZE")
        for size, stream in streams.items():
            times = sorted(_once(connection, stream) for _ in range(ROUNDS))
            numbers[f"events_{size}_ms_p50"] = median(times)
            numbers[f"events_{size}_ms_p95"] = times[int(ROUNDS * 0.95)]
    return report.show("rehydrate", numbers, {"events_1000_ms_p50": "<= 5"})


if __name__ == "__main__":
    main()
