"""Ids: a prefix people can read and the Crockford base32 of the stream's uuid, whose first ten
bits are the shard. It makes ids from names; only the outer layers make random ones."""

from uuid import UUID, uuid5

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = tuple(a + b for a in _ALPHABET for b in _ALPHABET)
_LENGTH = 26
# Our letters as the digits that `int` knows; any other one becomes something it refuses.
_DIGITS = dict.fromkeys(range(128), "!") | {
    ord(ours): digit
    for ours, digit in zip(_ALPHABET, "0123456789abcdefghijklmnopqrstuv", strict=True)
}
NO_ID = "this is no id of ours"
"""Without the text itself: anybody may have written it."""
_NAMESPACE = UUID("6b6f6e74-6f72-5000-8000-000000000000")
_SHARD_SHIFT = 118
_BELOW_SHARD = (1 << _SHARD_SHIFT) - 1


class MalformedId(ValueError):
    """The text is not an id of ours."""


def shard_of(stream: UUID) -> int:
    return stream.int >> _SHARD_SHIFT


def on_shard(value: UUID, shard: int) -> UUID:
    """`value` with its first ten bits overwritten by the shard."""
    return UUID(int=(shard << _SHARD_SHIFT) | (value.int & _BELOW_SHARD))


def write_id(prefix: str, stream: UUID) -> str:
    """`pay_` + 26 letters."""
    value = stream.int
    letters = [_PAIRS[(value >> shift) & 1023] for shift in range(120, -1, -10)]
    return f"{prefix}_{''.join(letters)}"


def read_id(text: str, prefix: str | None = None) -> UUID:
    """The uuid behind an id. Raises MalformedId, also when the prefix is another one."""
    found, _, letters = text.partition("_")
    wrong = len(letters) != _LENGTH or not letters.isascii()
    if wrong or (prefix is not None and found != prefix):
        raise MalformedId(NO_ID)
    try:
        return UUID(int=int(letters.translate(_DIGITS), 32))
    except ValueError:
        raise MalformedId(NO_ID) from None


def prefix_of(text: str) -> str:
    return text.partition("_")[0]


def name_uuid(*parts: object) -> UUID:
    """The same parts give the same uuid: for ids that must not depend on who asks first."""
    return uuid5(_NAMESPACE, "\x1f".join(str(part) for part in parts))


def derive(prefix: str, near: str, *parts: object) -> str:
    """The id that `parts` name, on the shard of the stream `near`."""
    return write_id(prefix, on_shard(name_uuid(prefix, *parts), shard_of(read_id(near))))


HOUSE = write_id("house", on_shard(name_uuid("house account"), 0))
"""Our bank account: statements, bank lines and payouts live on its shard."""
