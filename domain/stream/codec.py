"""Events to rows and back: clear fields as JSON, `Sealed` fields apart, old versions lifted by
upcasters while reading. It encrypts nothing and knows no database."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Annotated, NamedTuple, TypeAlias, get_args, get_origin, get_type_hints

import msgspec

from domain.kernel.message import Event, Seal

Upcaster: TypeAlias = Callable[[dict[str, object]], dict[str, object]]
"""The data of version n as the data of version n + 1."""

_json = msgspec.json.Encoder()


class Undecodable(Exception):
    """A stored event that this program cannot read."""


class Unreadable(Event, frozen=True, kw_only=True):
    """Stands in the feed for an event that cannot be decoded, so that it parks its own stream
    and no other. It is never stored."""

    error: str


class Encoded(NamedTuple):
    type: str
    schema_v: int
    data: bytes
    sealed_clear: bytes | None
    subject: str | None
    purpose: str


class _Shape(NamedTuple):
    """What encoding needs to know of an event class, found once."""

    wire: str
    clear: tuple[str, ...]
    sealed: tuple[str, ...]
    erased: str


class _Reader(NamedTuple):
    """How one version of one type is read. Upcasters see clear fields only."""

    decode: Callable[[str], Event]
    erased: str
    upcasters: tuple[Upcaster, ...]


@cache
def _shape(kind: type[Event]) -> _Shape:
    hints = get_type_hints(kind, include_extras=True)
    names = [field.name for field in msgspec.structs.fields(kind)]
    sealed = tuple(name for name in names if _is_sealed(hints[name]))
    clear = tuple(name for name in names if name not in sealed)
    erased = _json.encode(dict.fromkeys(sealed)).decode()
    return _Shape(kind.wire(), clear, sealed, erased)


def _is_sealed(hint: object) -> bool:
    return get_origin(hint) is Annotated and any(
        mark is Seal or isinstance(mark, Seal) for mark in get_args(hint)[1:]
    )


def encode(event: Event) -> Encoded:
    """The row of an event. Raises ValueError when it could not be read back as it is."""
    shape = _shape(type(event))
    if event.at.utcoffset() != timedelta(0):
        raise ValueError(f"{shape.wire}: `at` is not UTC")
    if not shape.sealed:
        return Encoded(shape.wire, event.schema_v, _json.encode(event), None, None, event.purpose)
    data = _json.encode({name: getattr(event, name) for name in shape.clear})
    secrets = {name: getattr(event, name) for name in shape.sealed}
    if all(value is None for value in secrets.values()):
        return Encoded(shape.wire, event.schema_v, data, None, None, event.purpose)
    subject = event.seal_subject
    if subject is None:
        raise ValueError(f"{shape.wire} holds personal data but names nobody whose key seals it")
    sealed = _json.encode(secrets)
    return Encoded(shape.wire, event.schema_v, data, sealed, subject, event.purpose)


class Codec:
    """Knows every event type. Reading costs one dictionary look-up and one msgspec decode."""

    def __init__(
        self,
        events: Iterable[type[Event]],
        upcasters: Mapping[tuple[str, int], Upcaster] | None = None,
    ) -> None:
        self._upcasters = dict(upcasters or {})
        self._kinds: dict[str, type[Event]] = {}
        self._prefixes: dict[str, str] = {}
        self._readers: dict[tuple[str, int], _Reader] = {}
        for kind in events:
            self._add(kind)

    def encode(self, event: Event) -> Encoded:
        return encode(event)

    def decode(self, wire: str, schema_v: int, data: str, sealed_clear: str | None = None) -> Event:
        """Raises Undecodable. Sealed fields are None without `sealed_clear`."""
        try:
            read, erased, upcasters = self._readers[wire, schema_v]
            for upcast in upcasters:
                data = _json.encode(upcast(msgspec.json.decode(data))).decode()
            if erased:
                # Two JSON objects joined at their braces: `data` always holds at least `at`.
                data = f"{data[:-1]},{(sealed_clear or erased)[1:]}"
            return read(data)
        except (KeyError, msgspec.MsgspecError) as error:
            raise Undecodable(f"{wire} version {schema_v}: {error!r}") from error

    def prefix(self, wire: str) -> str:
        """The id prefix of the streams that hold this type; `unknown` for a type we lost."""
        return self._prefixes.get(wire, "unknown")

    @property
    def kinds(self) -> Mapping[str, type[Event]]:
        return self._kinds

    def _add(self, kind: type[Event]) -> None:
        shape = _shape(kind)
        if not kind.prefix:
            raise ValueError(f"{kind.__name__} does not say whose streams hold it: no prefix")
        if shape.wire in self._kinds:
            raise ValueError(f"two events share the wire name {shape.wire}")
        self._kinds[shape.wire] = kind
        self._prefixes[shape.wire] = kind.prefix
        decode: Callable[[str], Event] = msgspec.json.Decoder(kind).decode
        upcasters: tuple[Upcaster, ...] = ()
        for version in range(kind.schema_v, 0, -1):
            if version < kind.schema_v:
                upcasters = (self._upcaster(shape.wire, version), *upcasters)
            erased = shape.erased if shape.sealed else ""
            self._readers[shape.wire, version] = _Reader(decode, erased, upcasters)

    def _upcaster(self, wire: str, version: int) -> Upcaster:
        try:
            return self._upcasters[wire, version]
        except KeyError:
            raise ValueError(f"{wire} version {version} has no upcaster") from None


def unreadable(error: Exception) -> Unreadable:
    return Unreadable(at=datetime.fromtimestamp(0, UTC), error=str(error))
