"""Appends per second with eight writers, against the same client inserting the same row into the
same table, in alternating slices of one run. pgbench with the bare INSERT stands beside it."""

from __future__ import annotations

import multiprocessing
import re
import subprocess
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection as Pipe
from multiprocessing.synchronize import Barrier
from statistics import median
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from bench import report
from bench.sample import AT, KEK, SampleConfirmed, batch, new_stream
from domain.kernel.ids import read_id, shard_of
from domain.stream.codec import encode
from domain.stream.database import Connection, connect
from domain.stream.store import append
from jobs import places
from jobs.schema import fresh_database

WRITERS, SLICES, SLICE_S = 8, 8, 0.6
EVENT = SampleConfirmed(at=AT, amount=1234)
_INSERT = (
    "INSERT INTO event (shard, stream_id, version, event_id, command_id, actor, type, schema_v,"
    " data) VALUES (%s, %s, 1, %s, %s, 'bench', %s, 1, %s::jsonb)"
)


def _append(connection: Connection) -> None:
    append(connection, batch(new_stream(), [EVENT]))


def _insert(connection: Connection) -> None:
    stream_id, row = read_id(new_stream()), encode(EVENT)
    connection.execute(
        _INSERT,
        (shard_of(stream_id), stream_id, uuid4(), uuid4(), row.type, row.data.decode()),
        prepare=True,
    )


_ACTS: dict[str, Callable[[Connection], None]] = {"append": _append, "insert": _insert}


def _writer(url: str, barrier: Barrier, answer: Pipe) -> None:
    done: list[dict[str, float]] = []
    with connect(url, KEK) as connection:
        for act in _ACTS.values():
            for _ in range(20):
                act(connection)
        for _ in range(SLICES):
            done.append({name: _slice(connection, act, barrier) for name, act in _ACTS.items()})
    answer.send(done)


def _slice(connection: Connection, act: Callable[[Connection], None], barrier: Barrier) -> float:
    barrier.wait()
    count, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < SLICE_S:
        act(connection)
        count += 1
    return count / elapsed


def _run(url: str) -> dict[str, float]:
    """The median over the slices of what all writers together did per second."""
    context = multiprocessing.get_context("fork")
    barrier, answers, processes = context.Barrier(WRITERS), [], []
    for _ in range(WRITERS):
        mine, theirs = context.Pipe(duplex=False)
        answers.append(mine)
        processes.append(context.Process(target=_writer, args=(url, barrier, theirs), daemon=True))
    for process in processes:
        process.start()
    slices = list(zip(*(answer.recv() for answer in answers), strict=True))
    for process in processes:
        process.join()
    totals = {name: [sum(one[name] for one in each) for each in slices] for name in _ACTS}
    ratios = [a / i for a, i in zip(totals["append"], totals["insert"], strict=True)]
    return {
        "append_per_s": median(totals["append"]),
        "insert_per_s": median(totals["insert"]),
        "append_to_insert": median(ratios),
    }


def _pgbench(url: str) -> float:
    """The same INSERT without a Python client: what the server can do at most."""
    data = encode(EVENT).data.decode().replace(":", "\\:").replace("'", "''")
    script = f"""
INSERT INTO event (shard, stream_id, version, event_id, command_id, actor, type, schema_v, data)
SELECT (get_byte(uuid_send(i), 0) << 2) | (get_byte(uuid_send(i), 1) >> 6), i, 1,
       gen_random_uuid(), gen_random_uuid(), 'bench', 'sample-confirmed', 1, '{data}'
  FROM (SELECT gen_random_uuid() AS i) AS s;
""".replace("\\:", ":")  # noqa: S608 our own text
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    program = places.pginstall(places.unprivileged_user()) / "bin" / "pgbench"
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(" ".join(script.split()))
        file.flush()
        args = [str(program), "-n", "-M", "prepared", "-f", file.name, "-T", "4"]
        args += ["-c", str(WRITERS), "-j", "2", "-h", query["host"][0], "-p", query["port"][0]]
        args += ["-U", parts.username or "", parts.path.lstrip("/")]
        said = subprocess.run(
            args, env={"PGPASSWORD": parts.password or ""}, capture_output=True, text=True
        )
    found = re.search(r"tps = ([\d.]+)", said.stdout)
    if found is None:
        raise RuntimeError(f"pgbench: {said.stderr}")
    return float(found[1])


def main() -> dict[str, float]:
    with fresh_database() as url:
        numbers = _run(url)
        numbers["pgbench_per_s"] = _pgbench(url)
    numbers["append_to_pgbench"] = numbers["append_per_s"] / numbers["pgbench_per_s"]
    return report.show("append", numbers, {"append_to_insert": ">= 0.75"})


if __name__ == "__main__":
    main()
