"""Events to rows and back: personal data apart and sealed, old versions lifted, erasure final."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import ClassVar

import msgspec
import pytest

from domain.kernel.message import Event, Sealed
from domain.stream.codec import Codec, Undecodable, Unreadable, encode
from domain.stream.database import Connection
from domain.stream.feed import read_feed
from domain.stream.keys import CannotOpen, keys_for, open_, seal
from domain.stream.sequencer import tick
from domain.stream.store import append, load
from tests.stream.things import (
    AT,
    CODEC,
    Counted,
    Named,
    batch,
    counted,
    named,
    new_stream,
    writes,
)


def test_clear_fields_and_sealed_fields_part(connection: Connection) -> None:
    row = encode(named("cus_x"))
    assert (row.type, row.schema_v, row.subject, row.purpose) == ("named", 1, "cus_x", "contact")
    assert msgspec.json.decode(row.data) == {
        "at": "2026-12-01T09:30:00Z",
        "customer": "cus_x",
        "city": "Köln",
    }
    assert row.sealed_clear is not None
    assert CODEC.decode("named", 1, row.data.decode(), row.sealed_clear.decode()) == named("cus_x")


def test_without_its_key_an_event_is_whole_but_for_the_person(connection: Connection) -> None:
    row = encode(named("cus_x"))
    erased = Named(at=AT, customer="cus_x", city="Köln", name=None, lines=None)
    assert CODEC.decode("named", 1, row.data.decode(), None) == erased
    assert encode(erased).sealed_clear is None
    assert encode(erased).subject is None


def test_no_personal_datum_stands_in_clear_and_erasure_bites_at_once(
    connection: Connection, other: Connection
) -> None:
    stream = new_stream("cus")
    append(connection, batch(writes(stream, [named(stream, "Yıldız"), named(stream, None)])))
    tick(connection)
    dump = connection.execute("SELECT string_agg(e::text, '') FROM event e").fetchone()
    assert dump is not None
    assert "Yıldız" not in dump[0]
    assert "Yıldız".encode().hex() not in dump[0]
    assert load(connection, CODEC, [stream])[stream].events[0] == named(stream, "Yıldız")
    other.execute("DELETE FROM subject_key WHERE subject = %s", (stream,))
    erased = load(connection, CODEC, [stream])[stream].events
    fed = [recorded.event for recorded in read_feed(connection, CODEC, 0, 10)]
    assert erased == fed
    assert [e.name for e in erased if isinstance(e, Named)] == [None, None]


def test_a_sealed_field_moved_to_another_event_does_not_open(connection: Connection) -> None:
    stream = new_stream("cus")
    append(connection, batch(writes(stream, [named(stream, "A"), named(stream, "B")])))
    tick(connection)
    connection.execute(
        "UPDATE event SET sealed = (SELECT sealed FROM event WHERE version = 1) WHERE version = 2"
    )
    with pytest.raises(CannotOpen):
        load(connection, CODEC, [stream])
    first, second = read_feed(connection, CODEC, 0, 10)
    assert isinstance(first.event, Named)
    assert isinstance(second.event, Unreadable)


def test_another_key_encryption_key_says_so(connection: Connection) -> None:
    keys_for(connection, [("cus_x", "contact")], create=True)
    connection.kek = bytes(32)
    with pytest.raises(CannotOpen, match="KONTOR_KEK"):
        keys_for(connection, [("cus_x", "contact")])


def test_keys_are_one_per_subject_and_purpose(connection: Connection) -> None:
    owners = [("cus_x", "contact"), ("cus_x", "booking"), ("cus_y", "contact")]
    assert keys_for(connection, owners) == {}
    made = keys_for(connection, owners, create=True)
    assert len(set(made.values())) == 3
    assert keys_for(connection, owners, create=True) == made
    sealed = seal(made["cus_x", "contact"], b"text", b"a")
    assert open_(made["cus_x", "contact"], sealed, b"a") == b"text"
    with pytest.raises(CannotOpen):
        open_(made["cus_y", "contact"], sealed, b"a")


class PricedV3(Event, frozen=True, kw_only=True):
    prefix: ClassVar[str] = "cnt"
    schema_v: ClassVar[int] = 3
    cents: int
    currency: str
    payer: Sealed[str] = None

    @classmethod
    def wire(cls) -> str:
        return "priced"


UPCASTERS = {
    ("priced", 1): lambda data: {**data, "currency": "EUR"},
    ("priced", 2): lambda data: {
        "at": data["at"],
        "cents": int(str(data["euros"])) * 100,
        "currency": data["currency"],
    },
}


def test_old_versions_are_lifted_step_by_step() -> None:
    codec = Codec([PricedV3], UPCASTERS)
    stored = msgspec.json.encode({"at": AT, "euros": 7}).decode()
    assert codec.decode("priced", 1, stored) == PricedV3(at=AT, cents=700, currency="EUR")
    lifted = codec.decode("priced", 1, stored, '{"payer":"Ott"}')
    assert lifted == PricedV3(at=AT, cents=700, currency="EUR", payer="Ott")


def test_a_missing_upcaster_is_found_at_start() -> None:
    with pytest.raises(ValueError, match="priced version 2 has no upcaster"):
        Codec([PricedV3], {("priced", 1): UPCASTERS["priced", 1]})


@pytest.mark.parametrize(
    ("wire", "version", "data"),
    [
        ("unheard-of", 1, "{}"),
        ("counted", 2, '{"at":"2026-12-01T09:30:00Z","amount":1}'),
        ("counted", 1, '{"at":"2026-12-01T09:30:00Z","amount":"1"}'),
    ],
)
def test_what_cannot_be_read_says_so(wire: str, version: int, data: str) -> None:
    with pytest.raises(Undecodable):
        CODEC.decode(wire, version, data)


def test_what_could_not_be_read_back_is_not_written() -> None:
    summer = timezone(timedelta(hours=2))
    for at in (datetime(2026, 6, 1), datetime(2026, 6, 1, tzinfo=summer)):  # noqa: DTZ001
        with pytest.raises(ValueError, match="not UTC"):
            encode(Counted(at=at, amount=1))

    class Nameless(Event, frozen=True, kw_only=True):
        name: Sealed[str]

    with pytest.raises(ValueError, match="names nobody"):
        encode(Nameless(at=AT, name="x"))
    with pytest.raises(ValueError, match="no prefix"):
        Codec([Nameless])
    with pytest.raises(ValueError, match="share the wire name"):
        Codec([Counted, Counted])
    assert counted().wire() == "counted"
