"""The stream as people read it: every event once, causes and consequences, filters, a rebuild."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from config import Settings
from domain.deciding import CODEC
from domain.dispatch import Dispatcher
from domain.payments.events import Reason
from domain.readmodels import causes, paging, stream
from domain.readmodels.lists import Order
from domain.readmodels.stream import KINDS, EventSeen
from domain.registry import EVENTS
from domain.stream.database import Connection, Database
from domain.stream.feed import read_feed
from tests.readmodels.kit import Kit, Story


@pytest.fixture
def kontor(settings: Settings) -> Iterator[Dispatcher]:
    database = Database(settings.database_url, settings.kek)
    yield Dispatcher(database)
    database.close()


@pytest.fixture
def kit(kontor: Dispatcher) -> Kit:
    return Kit(kontor, [stream.MODEL])


def everything_of(connection: Connection, **filters: object) -> tuple[EventSeen, ...]:
    newest = Order(sort="position", down=True)
    page = paging.page(connection, stream.EVENTS, filters, newest)
    assert page.count.number == len(page.rows)
    return page.rows


def test_every_kind_of_event_can_be_shown() -> None:
    assert set(KINDS.values()) == set(EVENTS)


def test_every_event_stands_once_in_the_order_of_the_feed(kit: Kit) -> None:
    Story(kit).confirmed()
    with kit.kontor.read() as connection:
        shown = everything_of(connection)
        whole = read_feed(connection, CODEC, 0, 1000)
    assert [one.feed_position for one in shown] == list(range(len(whole), 0, -1))
    assert [one.event for one in shown] == [one.event for one in reversed(whole)]
    assert [one.event_id for one in shown] == [one.event_id for one in reversed(whole)]


def test_sealed_fields_are_readable(kit: Kit) -> None:
    story = Story(kit, name="Nadia Brandt")
    with kit.kontor.read() as connection:
        registered = stream.timeline(connection, [story.customer_id])[-1].event
    assert getattr(registered, "name") == "Nadia Brandt"  # noqa: B009 any event


def test_a_timeline_holds_its_streams_newest_first(kit: Kit) -> None:
    story, other = Story(kit), Story(kit)
    story.confirmed()
    with kit.kontor.read() as connection:
        entries = stream.timeline(connection, [story.payment_id, story.receivable_id])
    assert {one.stream for one in entries} == {story.payment_id, story.receivable_id}
    assert [e.feed_position for e in entries] == sorted(
        (e.feed_position for e in entries), reverse=True
    )
    assert entries[-1].type == "receivable-raised"
    assert other.payment_id not in {one.stream for one in entries}


def test_an_event_knows_its_causes_and_consequences(kit: Kit) -> None:
    story = Story(kit)
    with kit.kontor.read() as connection:
        everything = everything_of(connection)
        billed = next(one for one in everything if one.type == "instalment-billed")
        scheduled = next(one for one in everything if one.type == "payment-scheduled")
        told = causes.event(connection, billed.feed_position)
        above = causes.event(connection, scheduled.feed_position)
    assert told is not None
    assert above is not None
    tree = [(branch.depth, branch.entry.type) for branch in told.caused]
    assert (1, "receivable-raised") in tree
    assert (1, "invoice-issued") in tree
    raised_at = tree.index((1, "receivable-raised"))
    assert tree[raised_at + 1] == (2, "payment-scheduled")
    assert [one.type for one in above.causes] == ["instalment-billed", "receivable-raised"]
    assert told.more.number == 0
    raised = told.caused[raised_at].entry
    with kit.kontor.read() as connection:
        at_once = causes.event(connection, raised.feed_position)
    assert at_once is not None
    assert {one.type for one in at_once.together} == {"collection-reserved", "invoice-issued"}
    assert scheduled.stream == story.payment_id


def test_a_position_nobody_reached_is_none(kit: Kit) -> None:
    Story(kit)
    with kit.kontor.read() as connection:
        assert causes.event(connection, 10_000) is None


def test_a_tree_says_how_much_it_left_out(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    Story(kit)
    with kit.kontor.read() as connection:
        everything = everything_of(connection)
        billed = next(one for one in everything if one.type == "instalment-billed")
        whole = causes.event(connection, billed.feed_position)
        assert whole is not None
        assert len(whole.caused) > 2
        monkeypatch.setattr(causes, "TREE_MAX", 2)
        cut = causes.event(connection, billed.feed_position)
    assert cut is not None
    assert len(cut.caused) == 2
    assert cut.more.number == len(whole.caused) - 2
    assert not cut.more.capped


@pytest.mark.parametrize(
    ("field", "of"),
    [("type", "type"), ("stream", "stream"), ("actor", "actor"), ("service", "")],
)
def test_filters_keep_what_they_name(kit: Kit, field: str, of: str) -> None:
    Story(kit).confirmed()
    with kit.kontor.read() as connection:
        everything = everything_of(connection)
        wanted = next(one for one in everything if one.type == "payment-confirmed")
        value = "payments" if field == "service" else getattr(wanted, of)
        shown = everything_of(connection, **{field: value})
    assert 0 < len(shown) < len(everything)
    assert wanted.feed_position in {one.feed_position for one in shown}
    if of:
        assert {getattr(one, of) for one in shown} == {value}


def test_a_customer_sees_also_the_events_that_do_not_name_him(kit: Kit) -> None:
    story, other = Story(kit), Story(kit)
    story.confirmed()
    story.refund(500, Reason.GOODWILL)
    with kit.kontor.read() as connection:
        shown = everything_of(connection, customer=story.customer_id)
        theirs = everything_of(connection, customer=other.customer_id)
    assert {"payment-confirmed", "receipt-applied", "refund-approved"} <= {e.type for e in shown}
    assert "payment-confirmed" not in {one.type for one in theirs}


def test_a_row_knows_its_cause_and_what_it_led_to(kit: Kit) -> None:
    Story(kit)
    with kit.kontor.read() as connection:
        shown = {one.type: one for one in everything_of(connection)}
        raised = shown["receivable-raised"]
        led_to = everything_of(connection, cause=raised.feed_position)
    assert raised.cause_position == shown["instalment-billed"].feed_position
    assert {one.type for one in led_to} == {"payment-scheduled"}
    assert raised.led_to == len(led_to)
    assert shown["contract-signed"].cause_position is None


def test_a_rebuilt_model_equals_the_live_one(kit: Kit) -> None:
    story = Story(kit)
    story.confirmed()
    story.refund_confirmed(story.refund(500))
    live, again = kit.rebuilt(stream.MODEL)
    assert live == again
    assert len(live) == 2
