"""Keys of persons and of our house: one AES-256 key per subject and purpose, wrapped by the
key-encryption key. Erasing is deleting the row, so no person's key is kept beyond one call."""

import os
from collections.abc import Collection

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.stream.database import Connection

HOUSE_KEY = ("house", "house")
_NONCE_BYTES = 12
_KEY_BITS = 256

Owner = tuple[str, str]
"""(subject, purpose)."""


class CannotOpen(Exception):
    """Sealed bytes that their key does not open: another key-encryption key, or tampering."""


def seal(key: bytes, clear: bytes, aad: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, clear, aad)


def open_(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], aad)
    except (InvalidTag, ValueError) as error:
        raise CannotOpen("sealed data does not open with its key") from error


def unwrap(kek: bytes, owner: Owner, wrapped: bytes) -> bytes:
    try:
        return open_(kek, wrapped, _wrapping(owner))
    except CannotOpen as error:
        raise CannotOpen("KONTOR_KEK does not open the keys of this database") from error


def keys_for(
    connection: Connection, owners: Collection[Owner], create: bool = False
) -> dict[Owner, bytes]:
    """The keys that exist, with `create` all of them."""
    found = _read(connection, owners)
    missing = [owner for owner in set(owners) if owner not in found]
    if not create or not missing:
        return found
    fresh = [AESGCM.generate_key(_KEY_BITS) for _ in missing]
    connection.execute(
        "INSERT INTO subject_key (subject, purpose, wrapped)"
        " SELECT * FROM unnest(%s::text[], %s::text[], %s::bytea[])"
        " ON CONFLICT DO NOTHING",
        (
            [subject for subject, _ in missing],
            [purpose for _, purpose in missing],
            [
                seal(connection.kek, key, _wrapping(owner))
                for owner, key in zip(missing, fresh, strict=True)
            ],
        ),
    )
    # Read again: two writers may have met, and only one key was stored.
    return found | _read(connection, missing)


def house_key(connection: Connection) -> bytes:
    """Read once per connection: every notification is sealed with it."""
    if connection.house is None:
        connection.house = keys_for(connection, [HOUSE_KEY], create=True)[HOUSE_KEY]
    return connection.house


def prove(connection: Connection) -> None:
    """Raises CannotOpen when this key-encryption key is not the one that wrapped the stored keys:
    every person would read as erased, and nobody would be told."""
    row = connection.execute(
        "SELECT subject, purpose, wrapped FROM subject_key ORDER BY created_at LIMIT 1", binary=True
    ).fetchone()
    if row is not None:
        unwrap(connection.kek, (row[0], row[1]), row[2])


class Opener:
    """Opens many sealed rows of one query; it lives no longer than that query's answer."""

    def __init__(self, kek: bytes) -> None:
        self._kek = kek
        self._keys: dict[bytes, bytes] = {}

    def open_row(
        self, owner: Owner, wrapped: bytes | None, sealed: bytes, aad: bytes
    ) -> str | None:
        """The clear JSON, or None after the erasure of its subject."""
        if wrapped is None:
            return None
        key = self._keys.get(wrapped)
        if key is None:
            key = self._keys[wrapped] = unwrap(self._kek, owner, wrapped)
        return open_(key, sealed, aad).decode()


def _read(connection: Connection, owners: Collection[Owner]) -> dict[Owner, bytes]:
    rows = connection.execute(
        "SELECT subject, purpose, wrapped FROM subject_key WHERE (subject, purpose) IN"
        " (SELECT * FROM unnest(%s::text[], %s::text[]))",
        ([subject for subject, _ in owners], [purpose for _, purpose in owners]),
        binary=True,
    )
    return {
        (subject, purpose): unwrap(connection.kek, (subject, purpose), wrapped)
        for subject, purpose, wrapped in rows
    }


def _wrapping(owner: Owner) -> bytes:
    return "\x1f".join(owner).encode()
