"""A real dump restored into a real second cluster: the feed goes on gapless, although transaction
ids start again from low numbers there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from domain.stream.database import Connection, connect
from domain.stream.feed import read_feed
from domain.stream.sequencer import tick
from domain.stream.store import append, load
from jobs import places
from jobs.schema import fresh_database
from tests.stream.things import CODEC, KEK, batch, counted, named, new_stream, writes


def program(name: str, *args: str) -> None:
    path = places.pginstall(places.unprivileged_user()) / "bin" / name
    subprocess.run([str(path), *args], check=True, capture_output=True)


def transaction_id(connection: Connection) -> int:
    row = connection.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.slow
def test_in_a_restored_cluster_the_feed_goes_on(
    connection: Connection, database_url: str, tmp_path: Path
) -> None:
    for _ in range(500):  # so that the ids of the old cluster are far ahead
        connection.execute("SELECT pg_current_xact_id()")
    streams = [new_stream() for _ in range(10)] + [new_stream("cus")]
    for stream in streams[:-1]:
        append(connection, batch(writes(stream, [counted(n) for n in range(5)])))
    tick(connection)
    append(connection, batch(writes(streams[-1], [named(streams[-1])])))
    append(connection, batch(writes(streams[0], [counted(5)], after=5)))
    dump = tmp_path / "dump"
    program("pg_dump", "--format=custom", f"--file={dump}", f"--dbname={database_url}")
    with fresh_database() as url:
        program("pg_restore", "--clean", "--if-exists", "--no-owner", f"--dbname={url}", str(dump))
        with connect(url, KEK) as restored:
            assert transaction_id(restored) < transaction_id(connection)
            assert tick(restored) == 2
            for stream in streams[1:-1]:
                append(restored, batch(writes(stream, [counted(5)], after=5)))
                assert tick(restored) == 1
            assert load(restored, CODEC, streams[-1:])[streams[-1]].events == [named(streams[-1])]
            fed = read_feed(restored, CODEC, 0, 1000)
    assert [recorded.feed_position for recorded in fed] == list(range(1, 62))
    assert len({(recorded.stream, recorded.version) for recorded in fed}) == 61
