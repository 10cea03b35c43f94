"""Stored files (rendered documents, bank statements): sealed, one per stream, written once. It
knows no format."""

from hashlib import sha256

import msgspec

from domain.kernel.ids import read_id, shard_of
from domain.stream.database import Connection
from domain.stream.keys import HOUSE_KEY, Owner, keys_for, open_, seal


class FileGone(Exception):
    """There is no such file, or its key was erased."""


class Stored(msgspec.Struct, frozen=True):
    sha256: bytes
    size: int


def store_file(
    connection: Connection, stream: str, body: bytes, owner: Owner = HOUSE_KEY
) -> Stored:
    """Stores the file of a stream and answers what is stored. The first one stays: whoever stores
    a second time after a crash records what the first left behind."""
    shard, key = shard_of(read_id(stream)), keys_for(connection, [owner], create=True)[owner]
    connection.execute(
        "INSERT INTO document_file (shard, stream, sha256, size, body, subject, purpose)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (
            shard,
            stream,
            sha256(body).digest(),
            len(body),
            seal(key, body, stream.encode()),
            *owner,
        ),
    )
    row = connection.execute(
        "SELECT sha256, size FROM document_file WHERE shard = %s AND stream = %s", (shard, stream)
    ).fetchone()
    assert row is not None
    return Stored(*row)


def load_file(connection: Connection, stream: str) -> bytes:
    """The bytes as they were stored. Raises FileGone, or CannotOpen when tampered with."""
    row = connection.execute(
        "SELECT body, subject, purpose FROM document_file WHERE shard = %s AND stream = %s",
        (shard_of(read_id(stream)), stream),
        binary=True,
    ).fetchone()
    if row is None:
        raise FileGone(stream)
    body, *owner = row
    key = keys_for(connection, [(owner[0], owner[1])]).get((owner[0], owner[1]))
    if key is None:
        raise FileGone(f"{stream}: its key was erased")
    return open_(key, body, stream.encode())
