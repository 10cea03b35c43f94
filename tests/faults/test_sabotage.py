"""Protections switched off one at a time: the same scenario that holds with the protection must
break without it. Otherwise the journeys would prove nothing. (The stream's own: tests/stream.)"""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from config import Settings
from domain import deciding, recording
from domain.deciding import CODEC
from domain.dispatch import Dispatcher, open_dispatcher
from domain.kernel.message import Refused
from domain.kernel.time import berlin, berlin_date
from domain.payments import commands as c
from domain.payments import request
from domain.payments.events import Reason, RefundApproved, RefundRequested
from domain.payments.ports import RefundOrder
from domain.stream import clock, effects, inbox, sequencer, store
from domain.stream.database import Connection
from domain.work.commands import NoteCase, OpenCase, case_id
from domain.work.events import CaseType
from jobs.handlers import answers, money
from jobs.providers.stripe.adapter import StripeAdapter
from tests.journeys import acts, people
from tests.journeys.proofs import book_equals_ours
from tests.journeys.town import FIRST_REFUND_ON, START
from tests.journeys.world import new_id, running_world

COLLECTED = 1000_00
Drop = Callable[[str, str], None]


@pytest.fixture
def kontor(settings: Settings) -> Iterator[Dispatcher]:
    dispatcher = open_dispatcher(settings.database_url, settings.kek, settings.redis_url)
    with dispatcher.read() as connection:
        clock.move(connection, berlin(date(2027, 1, 4), 6))
    yield dispatcher
    dispatcher.database.close()


@pytest.fixture
def drop(kontor: Dispatcher) -> Iterator[Drop]:
    """Drops a constraint of this test's own database; prepared statements are made anew."""

    def dropped(table: str, constraint: str) -> None:
        with kontor.read() as connection:
            connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}".encode())
        store._statement.cache_clear()

    yield dropped
    store._statement.cache_clear()


def broken(scenario: Callable[[Dispatcher], None], kontor: Dispatcher) -> None:
    with pytest.raises(AssertionError):
        scenario(kontor)


def told_twice(kontor: Dispatcher) -> None:
    """One notification is one row and one effect, however often it comes."""
    body = b'{"id": "evt_1", "type": "refund.updated", "data": {"object": {"id": "re_1"}}}'
    for _ in range(2):
        assert kontor.hear("stripe", body, {}, verified=True)
    with kontor.read() as connection:
        assert inbox.waiting_count(connection) == 1
        assert effects.pending(connection, clock.now(connection)) == {"translate": 1}


def test_the_inbox_key(kontor: Dispatcher, drop: Drop) -> None:
    told_twice(kontor)
    drop("inbox", "inbox_pkey")
    with kontor.read() as connection:
        connection.execute("TRUNCATE inbox, effect")
    broken(told_twice, kontor)


def sent_twice(kontor: Dispatcher) -> None:
    """One command id is carried out once."""
    subject = new_id("pay")
    case = case_id(CaseType.PAYMENT_FAILED, subject)
    kind = CaseType.PAYMENT_FAILED
    kontor.dispatch(OpenCase(by="x", case_id=case, case_type=kind, subject=subject), uuid4())
    note, command_id = NoteCase(by="staff:a", case_id=case, note="Called back"), uuid4()
    for _ in range(2):
        kontor.dispatch(note, command_id)
    with kontor.read() as connection:
        ((notes,),) = connection.execute(
            "SELECT count(*) FROM event WHERE command_id = %s", (command_id,)
        ).fetchall()
    assert notes == 1


def test_the_command_log(kontor: Dispatcher, drop: Drop) -> None:
    sent_twice(kontor)
    drop("command_log", "command_log_pkey")
    broken(sent_twice, kontor)


def collected(kontor: Dispatcher) -> str:
    """A confirmed payment that may be refunded, made of commands alone."""
    customer = new_id("cus")
    payment, mandate = new_id("pay", customer), new_id("man", customer)
    with kontor.read() as connection:
        today = clock.now(connection)
        due = berlin_date(today)
    steps = (
        c.RegisterMandate(
            by="x",
            mandate_id=mandate,
            customer_id=customer,
            reference="M-1",
            creditor_id="DE98ZZZ09999999999",
            provider="stripe",
            provider_customer="cus_1",
            provider_method="pm_1",
            iban="DE89370400440532013000",
            signed_on=due,
        ),
        c.SchedulePayment(
            by="x",
            payment_id=payment,
            receivable_id=new_id("rcv", customer),
            invoice_id=new_id("inv", customer),
            contract_id=new_id("ct", customer),
            customer_id=customer,
            mandate_id=mandate,
            provider="stripe",
            amount=COLLECTED,
            due_on=due,
            debit_on=due,
            prenotification_days=14,
        ),
        c.AnnouncePayment(
            by="x", payment_id=payment, delivered_on=due - timedelta(days=20), debit_on=due
        ),
        c.SubmitPayment(by="x", payment_id=payment, mandate_id=mandate, key="k"),
        c.ConfirmPayment(by="x", payment_id=payment, reference="pi_1"),
    )
    for step in steps:
        kontor.dispatch(step, uuid4())
    with kontor.read() as connection:
        clock.move(connection, today + timedelta(days=15))
    return payment


def asked(payment: str, amount: int) -> c.RequestRefund:
    return c.RequestRefund(
        by="staff:a",
        refund_id=new_id("rf", payment),
        payment_id=payment,
        amount=amount,
        reason=Reason.GOODWILL,
        note="",
    )


def raced(kontor: Dispatcher) -> None:
    """Two who decide over the same state never both record. The barrier stands between the two
    steps, once for each."""
    payment, both = collected(kontor), threading.Barrier(2)
    waited: set[int] = set()
    decide = deciding.decide

    def slow(*args: object) -> object:
        decided = decide(*args)  # type: ignore[arg-type]
        if threading.get_ident() not in waited:
            waited.add(threading.get_ident())
            both.wait(10)
        return decided

    def ask() -> None:
        try:
            kontor.dispatch(asked(payment, COLLECTED), uuid4())
        except Refused:
            refusals.append(1)

    refusals: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recording, "decide", slow)
        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    with kontor.read() as connection:
        ((reserved,),) = connection.execute(
            "SELECT sum((data->>'amount')::bigint) FROM event"
            " WHERE type = 'refund-reserved' AND data->>'payment_id' = %s",
            (payment,),
        ).fetchall()
    assert len(waited) == 2
    assert reserved == COLLECTED
    assert len(refusals) == 1


def test_the_version_check(kontor: Dispatcher, drop: Drop) -> None:
    raced(kontor)
    drop("event", "event_pkey")
    broken(raced, kontor)


def came_back_late(kontor: Dispatcher) -> None:
    """Whoever lost the lease writes nothing."""
    payment = collected(kontor)
    first = asked(payment, 10_00)
    kontor.dispatch(first, uuid4())
    with kontor.read() as connection:
        (due,) = (
            one.effect_id
            for one in effects.due(connection, clock.now(connection), 10)
            if _stream_of(kontor, one.effect_id) == first.refund_id
        )
        slow = effects.claim(connection, due, clock.now(connection), lease_s=0)
        quick = effects.claim(connection, due, clock.now(connection))
    assert slow is not None
    assert quick is not None
    intent = c.SubmitRefund(by="w", refund_id=first.refund_id, payment_id=payment, key="k")
    kontor.dispatch(intent, uuid4(), lease=quick.then("leased"))
    accepted = c.RecordRefundAccepted(
        by="w", refund_id=first.refund_id, payment_id=payment, reference="re_1"
    )
    kontor.dispatch(accepted, uuid4(), lease=quick.then("done"))
    unknown = c.RecordRefundUnknown(
        by="w", refund_id=first.refund_id, payment_id=payment, why="late"
    )
    with suppress(store.LeaseLost):
        kontor.dispatch(unknown, uuid4(), lease=slow.then("unknown"))
    with kontor.read() as connection:
        ((status,),) = connection.execute(
            "SELECT status FROM effect WHERE effect_id = %s", (due,)
        ).fetchall()
    assert status == "done"


def _stream_of(kontor: Dispatcher, effect_id: UUID) -> str:
    with kontor.read() as connection:
        row = connection.execute(
            "SELECT stream FROM effect WHERE effect_id = %s", (effect_id,)
        ).fetchone()
    assert row is not None
    return str(row[0])


def test_the_fencing_token(kontor: Dispatcher, monkeypatch: pytest.MonkeyPatch) -> None:
    came_back_late(kontor)
    fence = "AND status = 'leased' AND lease_token = %(lease_token)s"
    assert fence in store._LEASE
    monkeypatch.setattr(store, "_LEASE", store._LEASE.replace(fence, ""))
    store._statement.cache_clear()
    try:
        broken(came_back_late, kontor)
    finally:
        store._statement.cache_clear()


def approved_alone(kontor: Dispatcher) -> None:
    """Maker is not checker."""
    payment = collected(kontor)
    command = asked(payment, 500_00)
    kontor.dispatch(command, uuid4())
    approval = c.ApproveRefund(
        by=command.by, refund_id=command.refund_id, payment_id=payment, role="lead"
    )
    with suppress(Refused):
        kontor.dispatch(approval, uuid4())
    with kontor.read() as connection:
        loaded = store.load(connection, CODEC, [command.refund_id])
    events = loaded[command.refund_id].events
    maker = [one.requested_by for one in events if isinstance(one, RefundRequested)]
    checker = [one.approved_by for one in events if isinstance(one, RefundApproved)]
    assert not set(maker) & set(checker)


def test_four_eyes(kontor: Dispatcher, monkeypatch: pytest.MonkeyPatch) -> None:
    approved_alone(kontor)
    monkeypatch.setattr(request, "_second_person", lambda _command, _refund: None)
    broken(approved_alone, kontor)


def ticked_inside(kontor: Dispatcher) -> None:
    """What is recorded comes into the feed, because a tick never shares a transaction."""
    payment = collected(kontor)
    with kontor.read() as connection:
        try:
            with connection.transaction():
                connection.execute("SELECT pg_current_xact_id()")
                kontor.dispatch(asked(payment, 2_00), uuid4())  # Begun later, done earlier.
                sequencer.tick(connection)
                _append_by(connection, payment)
        except sequencer.NotItsOwnTransaction:
            kontor.dispatch(asked(payment, 1_00), uuid4())
        for _ in range(3):
            sequencer.tick(connection)
        ((lost,),) = connection.execute(
            "SELECT (SELECT count(*) FROM event) - (SELECT count(*) FROM feed)"
        ).fetchall()
    assert lost == 0


def _append_by(connection: Connection, payment: str) -> None:
    command = asked(payment, 1_00)
    envelope = recording.Envelope(uuid4(), b"", None, None, None, None)
    recording.record(connection, command.stamped(clock.now(connection)), envelope)


def test_the_tick_guard(kontor: Dispatcher, monkeypatch: pytest.MonkeyPatch) -> None:
    ticked_inside(kontor)
    guard = "pg_current_xact_id_if_assigned() IS NULL"
    assert guard in sequencer._LOOK
    monkeypatch.setattr(sequencer, "_LOOK", sequencer._LOOK.replace(guard, "true"))
    broken(ticked_inside, kontor)


def test_asking_first_and_the_same_key(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that was lost is asked for, and the key stays the same. Both off: money moves
    twice. (Webhooks would tell the answer before that: they are lost, too.)"""
    whole, send = answers.carry_out, StripeAdapter.refund

    def never_asks(*args: object, ask_first: bool) -> None:
        whole(*args, ask_first=False)  # type: ignore[arg-type]

    def fresh_key(self: StripeAdapter, order: RefundOrder) -> object:
        return send(self, replace(order, idempotency_key=str(uuid4())))

    with running_world(settings, START) as world:
        insured = people.insure(world)
        world.until(berlin(FIRST_REFUND_ON, 9))
        world.faults(lose_answers={"refunds.create": 1}, webhooks={"lost": True})
        acts.refund(world, insured, 10_00)
        book_equals_ours(world)
        monkeypatch.setattr(money, "carry_out", never_asks)
        monkeypatch.setattr(StripeAdapter, "refund", fresh_key)
        world.faults(lose_answers={"refunds.create": 1}, webhooks={"lost": True})
        acts.refund(world, insured, 10_00)
        with pytest.raises(AssertionError):
            book_equals_ours(world)
