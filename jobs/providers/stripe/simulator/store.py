"""The simulator's memory: JSON records in dictionaries, written through to one SQLite file.
Only the simulator's process opens it, under the world's lock; it knows nothing about payments."""

import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
    kind TEXT NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID
"""


class Store:
    """Records by kind and id, in the order of their first `put`. Nothing lasts before `commit`."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        # A kill loses nothing; only a power cut could, and that loses the whole sandbox's trust.
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute(_SCHEMA)
        self._records: dict[str, dict[str, Json]] = {}
        self._seq: dict[tuple[str, str], int] = {}
        self._dirty: dict[tuple[str, str], None] = {}
        self._gone: dict[tuple[str, str], None] = {}
        self._load()

    def _load(self) -> None:
        rows = self._db.execute("SELECT kind, id, seq, body FROM record ORDER BY seq")
        for kind, record_id, seq, body in rows:
            self._records.setdefault(kind, {})[record_id] = json.loads(body)
            self._seq[kind, record_id] = seq
        self._next_seq = max(self._seq.values(), default=0) + 1

    def put(self, kind: str, record_id: str, body: Json) -> None:
        key = kind, record_id
        self._records.setdefault(kind, {})[record_id] = body
        if key not in self._seq:
            self._seq[key] = self._next_seq
            self._next_seq += 1
        self._gone.pop(key, None)
        self._dirty[key] = None

    def get(self, kind: str, record_id: str) -> Json | None:
        return self._records.get(kind, {}).get(record_id)

    def all(self, kind: str) -> list[Json]:
        return list(self._records.get(kind, {}).values())

    def newest_first(self, kind: str) -> Iterator[Json]:
        return reversed(self._records.get(kind, {}).values())

    def drop(self, kind: str, record_id: str) -> None:
        key = kind, record_id
        if self._records.get(kind, {}).pop(record_id, None) is not None:
            self._seq.pop(key)
            self._dirty.pop(key, None)
            self._gone[key] = None

    def commit(self) -> None:
        if not self._dirty and not self._gone:
            return
        rows = [
            (kind, one, self._seq[kind, one], json.dumps(self._records[kind][one]))
            for kind, one in self._dirty
        ]
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany("INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?)", rows)
        self._db.executemany("DELETE FROM record WHERE kind = ? AND id = ?", list(self._gone))
        self._db.execute("COMMIT")
        self._dirty.clear()
        self._gone.clear()

    def clear(self) -> None:
        self._db.execute("DELETE FROM record")
        for memory in (self._records, self._seq, self._dirty, self._gone):
            memory.clear()
        self._next_seq = 1

    def close(self) -> None:
        self.commit()
        self._db.close()
