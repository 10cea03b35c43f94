"""The inbox and stored files: once, byte-identical, unreadable without the key."""

from __future__ import annotations

from hashlib import sha256
from random import Random

import msgspec
import pytest

from domain.stream import effects, inbox
from domain.stream.clock import now
from domain.stream.database import Connection, connect
from domain.stream.files import FileGone, load_file, store_file
from domain.stream.inbox import Hint
from domain.stream.keys import CannotOpen, keys_for
from domain.stream.lease import LeaseLost
from tests.stream.test_effects import at_once
from tests.stream.things import KEK, new_stream

BODY = b'{"id": "evt_1",  "n\xc3\xa4me": "Nadia Brandt \xff\x00"}\r\n'


def hint(notification_id: str = "evt_1", object_id: str | None = "pi_1") -> Hint:
    return Hint(
        provider="stripe",
        notification_id=notification_id,
        object_id=object_id,
        headers={"Stripe-Signature": "t=1,v1=ab", "X-Ä": "ö"},
        body=BODY,
        verdict="verified",
    )


def count(connection: Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def test_a_notification_is_stored_sealed_and_comes_back_to_the_byte(
    connection: Connection,
) -> None:
    effect_id = inbox.receive(connection, hint())
    assert effect_id is not None
    raw = connection.execute("SELECT body, headers FROM inbox").fetchone()
    assert raw is not None
    assert all(b"Brandt" not in column and b"Signature" not in column for column in raw)
    stored = inbox.load_notification(connection, "stripe", "evt_1")
    assert stored is not None
    assert (stored.body, stored.headers) == (BODY, hint().headers)
    assert (stored.state, stored.verdict, stored.tries) == ("waiting", "verified", 1)
    claimed = effects.claim(connection, effect_id, now(connection))
    assert claimed is not None
    assert claimed.effect.kind == "translate"
    assert claimed.effect.payload == {
        "provider": "stripe",
        "notification_id": "evt_1",
        "object_id": "pi_1",
    }


def test_a_hundred_duplicates_at_once_are_one_row_and_one_effect(
    connection: Connection, database_url: str
) -> None:
    connections = [connect(database_url, KEK) for _ in range(20)]
    answers = at_once(20, lambda n: [inbox.receive(connections[n], hint()) for _ in range(5)])
    assert len([answer for one in answers for answer in one if answer]) == 1
    assert count(connection, "SELECT count(*) FROM inbox") == 1
    assert count(connection, "SELECT count(*) FROM effect") == 1
    for opened in connections:
        opened.close()


def test_hints_about_one_object_are_found_and_settled_together(connection: Connection) -> None:
    for notification_id in ("evt_1", "evt_2", "evt_3"):
        inbox.receive(connection, hint(notification_id))
    inbox.receive(connection, hint("evt_4", "pi_2"))
    waiting = inbox.waiting_for_object(connection, "stripe", "pi_1")
    assert [found.notification_id for found in waiting] == ["evt_1", "evt_2", "evt_3"]
    ids = [found.notification_id for found in waiting]
    assert inbox.settle(connection, "stripe", ids, "applied") == 3
    assert inbox.settle(connection, "stripe", ids, "ignored", "too late") == 0
    assert inbox.waiting_for_object(connection, "stripe", "pi_1") == []
    assert inbox.waiting_count(connection) == 1


def test_a_hint_that_comes_while_its_object_is_read_is_read_afterwards(
    connection: Connection,
) -> None:
    first = inbox.receive(connection, hint("evt_1"))
    assert first is not None
    claimed = effects.claim(connection, first, now(connection))
    assert claimed is not None
    assert inbox.receive(connection, hint("evt_2")) == first  # one effect for one object
    assert effects.claim(connection, first, now(connection)) is None
    inbox.translated(connection, claimed)
    again = effects.claim(connection, first, now(connection))
    assert again is not None
    assert again.effect.payload["notification_id"] == "evt_2"
    inbox.translated(connection, again)
    assert effects.claim(connection, first, now(connection)) is None
    with pytest.raises(LeaseLost):
        inbox.translated(connection, claimed)


def test_many_hints_before_anybody_reads_are_one_effect(connection: Connection) -> None:
    hints = [hint(f"evt_{n}", f"pi_{n % 3}") for n in range(30)]
    answers = inbox.receive_all(connection, [*hints, *hints[:5]])
    assert answers[30:] == [None] * 5
    assert len(set(answers[:30])) == 3
    assert count(connection, "SELECT count(*) FROM inbox") == 30
    assert count(connection, "SELECT count(*) FROM effect") == 3
    assert count(connection, "SELECT count(*) FROM effect WHERE status = 'waiting'") == 3


def test_an_effect_that_was_given_up_is_armed_by_fresh_news(connection: Connection) -> None:
    effect_id = inbox.receive(connection, hint("evt_1"))
    assert effect_id is not None
    claimed = effects.claim(connection, effect_id, now(connection))
    assert claimed is not None
    effects.park(connection, claimed, "tried too often")
    inbox.receive(connection, hint("evt_2"))
    again = effects.claim(connection, effect_id, now(connection))
    assert again is not None
    assert again.attempts == 1
    assert len(inbox.waiting_for_object(connection, "stripe", "pi_1")) == 2


def test_what_nobody_needs_is_stored_and_settled_at_once(connection: Connection) -> None:
    needless = msgspec.structs.replace(hint(), needless="nobody needs it")
    assert inbox.receive(connection, needless) is not None
    assert inbox.receive(connection, needless) is None
    stored = inbox.load_notification(connection, "stripe", "evt_1")
    assert stored is not None
    assert (stored.state, stored.reason, stored.body) == ("ignored", "nobody needs it", BODY)
    assert count(connection, "SELECT count(*) FROM effect") == 0


def test_two_processes_with_the_same_hints_never_deadlock(
    connection: Connection, database_url: str
) -> None:
    """Each brings its own order; rows and effects are locked in one."""
    connections = [connect(database_url, KEK) for _ in range(6)]
    hints = [hint(f"evt_{n}", f"pi_{n % 7}") for n in range(60)]

    def store(n: int) -> int:
        own = Random(n).sample(hints, len(hints))
        batches = [own[at : at + 10] for at in range(0, len(own), 10)]
        return sum(
            one is not None for batch in batches for one in inbox.receive_all(connections[n], batch)
        )

    assert sum(at_once(6, store)) == 60
    assert count(connection, "SELECT count(*) FROM inbox") == 60
    assert count(connection, "SELECT count(*) FROM effect") == 7
    for opened in connections:
        opened.close()


def test_quarantined_waits_for_a_person_and_is_translated_again(connection: Connection) -> None:
    first = inbox.receive(connection, hint())
    inbox.settle(connection, "stripe", ["evt_1"], "quarantined", "unknown type")
    [held] = inbox.quarantined(connection)
    assert (held.notification_id, held.reason) == ("evt_1", "unknown type")
    second = inbox.retranslate(connection, "stripe", "evt_1")
    assert second not in (None, first)
    assert inbox.retranslate(connection, "stripe", "evt_1") is None
    assert inbox.quarantined(connection) == []
    assert count(connection, "SELECT count(*) FROM effect WHERE kind = 'translate'") == 2


def test_a_file_is_stored_once_and_sealed(connection: Connection) -> None:
    stream, owner = new_stream("inv"), ("cus_x", "booking")
    stored = store_file(connection, stream, b"%PDF one", owner)
    assert (stored.sha256, stored.size) == (sha256(b"%PDF one").digest(), 8)
    assert store_file(connection, stream, b"%PDF two!", owner) == stored
    assert load_file(connection, stream) == b"%PDF one"
    assert count(connection, "SELECT count(*) FROM document_file WHERE body LIKE '%PDF%'") == 0
    connection.execute("UPDATE document_file SET body = set_byte(body, 20, 0)")
    with pytest.raises(CannotOpen):
        load_file(connection, stream)
    connection.execute("DELETE FROM subject_key WHERE subject = 'cus_x'")
    with pytest.raises(FileGone, match="erased"):
        load_file(connection, stream)
    with pytest.raises(FileGone):
        load_file(connection, new_stream("inv"))
    assert keys_for(connection, [owner]) == {}
