"""Is any event lost, inverted or numbered with a gap while eight writers, slow transactions and
savepoints are at work? A naive reader of the same table is the control: it must lose some."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection as Pipe
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event as Flag
from random import Random
from uuid import UUID

from bench import report
from bench.sample import CODEC, KEK, SampleConfirmed, batch, events, new_stream
from domain.kernel.ids import read_id, shard_of
from domain.stream.database import Connection, connect
from domain.stream.feed import read_feed
from domain.stream.sequencer import tick
from domain.stream.series import take
from domain.stream.store import Conflict, append
from jobs.schema import fresh_database

WRITERS, SLOW_WRITERS, SEQUENCERS, STREAMS = 8, 2, 2, 20
# PostgreSQL keeps 64 subtransactions per backend in shared memory; more spill, and snapshots
# then know them by their top transaction only.
SAVEPOINTS = 70
SECONDS = 8.0

Seen = list[tuple[str | UUID, int]]


def _write(connection: Connection, random: Random, own: str, streams: list[str]) -> None:
    """One transaction of a writer: reads a version late, appends, is sometimes slow about it."""
    with connection.transaction():
        if random.random() < 0.5:
            take(connection, own)  # has its transaction id before it reads the stream
        _dawdle(random)
        if random.random() < 0.05:
            for _ in range(SAVEPOINTS):
                with connection.transaction():
                    take(connection, own)
        with connection.transaction():
            _append(connection, random.choice(streams))
        _dawdle(random)


def _write_slowly(connection: Connection, random: Random, own: str, streams: list[str]) -> None:
    """A bulk import: open for a long time on both sides of its append."""
    with connection.transaction():
        take(connection, own)
        time.sleep(0.05 + random.random() * 0.1)
        _append(connection, random.choice(streams))
        time.sleep(0.05 + random.random() * 0.1)


def _append(connection: Connection, stream: str) -> None:
    stream_id = read_id(stream)
    row = connection.execute(
        "SELECT coalesce(max(version), 0) FROM event WHERE shard = %s AND stream_id = %s",
        (shard_of(stream_id), stream_id),
    ).fetchone()
    append(connection, batch(stream, events(2), after=row[0] if row else 0))


def _dawdle(random: Random) -> None:
    if random.random() < 0.3:
        time.sleep(random.random() * 0.003)


def _writer(
    url: str,
    n: int,
    streams: list[str],
    stop: Flag,
    act: Callable[[Connection, Random, str, list[str]], None],
) -> None:
    random, own = Random(n), f"writer-{n}"
    with connect(url, KEK) as connection:
        while not stop.is_set():
            try:
                act(connection, random, own, streams)
            except Conflict:
                continue


def _sequence(url: str, stop: Flag) -> None:
    with connect(url, KEK) as connection:
        while tick(connection) or not stop.is_set():
            time.sleep(0.001)


def _follow(url: str, stop: Flag, answer: Pipe) -> None:
    """A consumer of the feed, reading as it grows."""
    seen, position, gaps = Seen(), 0, 0
    with connect(url, KEK) as connection:
        while not stop.is_set() or read_feed(connection, CODEC, position, 1):
            for recorded in read_feed(connection, CODEC, position, 500):
                gaps += recorded.feed_position != position + 1
                position = recorded.feed_position
                seen.append((recorded.stream, recorded.version))
                assert isinstance(recorded.event, SampleConfirmed)
            time.sleep(0.001)
    answer.send((seen, gaps))


def _follow_naively(url: str, stop: Flag, answer: Pipe) -> None:
    """What everybody writes first: the next rows by insert position."""
    seen, last = Seen(), 0
    query = "SELECT stream_id, version, position FROM event WHERE position > %s ORDER BY position"
    with connect(url, KEK) as connection:
        while rows := connection.execute(query, (last,)).fetchall() or not stop.is_set():
            if isinstance(rows, list):
                seen += [(stream_id, version) for stream_id, version, _ in rows]
                last = rows[-1][2]
            time.sleep(0.001)
    answer.send((seen, 0))


def prove(url: str, seconds: float = SECONDS) -> dict[str, int]:
    """Runs everything at once on a migrated, empty database."""
    context = multiprocessing.get_context("fork")
    written, sequenced = context.Event(), context.Event()
    streams = [new_stream() for _ in range(STREAMS)]
    writers = [
        context.Process(
            target=_writer,
            args=(url, n, streams, written, _write if n < WRITERS else _write_slowly),
        )
        for n in range(WRITERS + SLOW_WRITERS)
    ]
    sequencers = [context.Process(target=_sequence, args=(url, written)) for _ in range(SEQUENCERS)]
    readers, answers = [], []
    for follow in (_follow, _follow_naively):
        mine, theirs = context.Pipe(duplex=False)
        answers.append(mine)
        readers.append(context.Process(target=follow, args=(url, sequenced, theirs)))
    for process in (*readers, *sequencers, *writers):
        process.daemon = True  # nobody is left behind when one of them fails
        process.start()
    time.sleep(seconds)
    written.set()
    _join(writers)
    _join(sequencers)
    with connect(url, KEK) as connection:
        tick(connection)
        stored = _count(connection, "SELECT count(*) FROM event")
    sequenced.set()
    (seen, gaps), (naive, _) = (answer.recv() for answer in answers)
    _join(readers)
    return {
        "stored": stored,
        "lost": stored - len(set(seen)),
        "doubled": len(seen) - len(set(seen)),
        "inverted": _inversions(seen),
        "gaps": gaps,
        "naive_lost": stored - len(set(naive)),
    }


def _inversions(seen: Seen) -> int:
    last: dict[str | UUID, int] = {}
    inverted = 0
    for stream, version in seen:
        inverted += version != last.get(stream, 0) + 1
        last[stream] = version
    return inverted


def _join(processes: Sequence[BaseProcess]) -> None:
    for process in processes:
        process.join()
        if process.exitcode:
            raise RuntimeError(f"{process.name} ended with {process.exitcode}")


def _count(connection: Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def main() -> dict[str, float]:
    with fresh_database() as url:
        found = prove(url)
    return report.show(
        "stream_proof",
        {name: float(value) for name, value in found.items()},
        {"lost": "= 0", "inverted": "= 0", "gaps": "= 0", "naive_lost": "> 0"},
    )


if __name__ == "__main__":
    main()
