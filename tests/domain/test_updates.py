"""RELIABILITY 21: the final state depends neither on the order nor on the number of a provider's
updates. And the table update -> command, row by row."""

from __future__ import annotations

from datetime import date
from itertools import permutations

import pytest

from domain.kernel.ids import MalformedId
from domain.kernel.message import Command, Refused
from domain.payments import commands as c
from domain.payments import ports
from domain.payments.payment import Payment
from domain.payments.refund import Refund, Status
from domain.payments.settlement_commands import ListPayout
from domain.payments.settlement_events import ItemKind
from domain.payments.updates import commands_for
from tests.domain import facts as f
from tests.spec import World

P = ports.ProviderState


def payment(state: ports.ProviderState, operation_id: str = f.PAYMENT) -> ports.PaymentUpdate:
    return ports.PaymentUpdate(
        operation_id=operation_id,
        reference="pi_1",
        state=state,
        amount=12_50,
        code="AM04" if state is P.FAILED else "",
        raw_code="insufficient_funds" if state is P.FAILED else "",
    )


REVERSAL = ports.PaymentReversal(
    operation_id=f.PAYMENT,
    reference="pi_1",
    reversal_reference="dp_1",
    amount=12_50,
    fee=750,
    code="MD06",
    raw_code="customer_initiated",
    reversed_at=f.REFUND_DAY,
)


def refund(state: ports.ProviderState) -> ports.RefundUpdate:
    return ports.RefundUpdate(
        operation_id=f.REFUND,
        reference="re_1",
        payment_reference="pi_1",
        state=state,
        amount=5_00,
        raw_code="declined" if state is P.FAILED else "",
    )


def understood(update: ports.ProviderUpdate) -> list[Command]:
    return commands_for("stripe", update, lambda refund_id: f.PAYMENT)


@pytest.mark.parametrize(
    ("update", "kind"),
    [
        (payment(P.PROCESSING), c.RecordPaymentAccepted),
        (payment(P.CONFIRMED), c.ConfirmPayment),
        (payment(P.FAILED), c.FailPayment),
        (REVERSAL, c.ReturnPayment),
        (refund(P.PROCESSING), c.RecordRefundAccepted),
        (refund(P.CONFIRMED), c.ConfirmRefund),
        (refund(P.FAILED), c.FailRefund),
    ],
)
def test_news_as_commands(update: ports.ProviderUpdate, kind: type[Command]) -> None:
    (command,) = understood(update)
    assert type(command) is kind
    assert command.by == "stripe"
    assert f.PAYMENT in command.streams()


def test_news_without_consequence_and_news_nobody_understands() -> None:
    assert understood(ports.Ignored(reason="nothing new")) == []
    with pytest.raises(Refused, match="Not understood: who knows"):
        understood(ports.Unrecognised(reason="who knows"))
    with pytest.raises(MalformedId):
        understood(payment(P.CONFIRMED, operation_id=f.REFUND))


def test_an_item_that_is_not_ours_counts_and_names_nothing() -> None:
    def booking(kind: ports.PayoutItemKind, ours: str, gross: int) -> ports.PayoutItem:
        return ports.PayoutItem(
            kind=kind,
            transaction="txn_1",
            reference="",
            operation_id=ours,
            gross=gross,
            fee=0,
            net=gross,
        )

    kinds = ports.PayoutItemKind
    update = ports.PayoutUpdate(
        reference="po_1",
        trace_id="TRACE1",
        net=6_50,
        arrival_on=date(2026, 12, 4),
        items=(
            booking(kinds.PAYMENT, f.PAYMENT, 12_50),
            booking(kinds.REFUND, f.REFUND, -5_00),
            booking(kinds.REFUND, "", -1_00),
        ),
    )
    (command,) = understood(update)
    assert isinstance(command, ListPayout)
    assert [(item.kind, item.payment_id, item.refund_id) for item in command.items] == [
        (ItemKind.PAYMENT, f.PAYMENT, None),
        (ItemKind.REFUND, f.PAYMENT, f.REFUND),
        (ItemKind.REFUND, None, None),
    ]
    assert {item.reference for item in command.items} == {"txn_1"}


def test_every_order_of_a_payment_s_news_ends_the_same() -> None:
    (accepted,), (confirmed,) = understood(payment(P.PROCESSING)), understood(payment(P.CONFIRMED))
    (returned,) = understood(REVERSAL)
    news = [accepted, confirmed, confirmed, f.PAY_OUT, returned, returned]
    start, ends = f.payment_until("submitted"), set()
    for order in set(permutations(range(len(news)))):
        world = World(start)
        for n in order:
            world.send(news[n])
        end = world.state(f.PAYMENT)
        assert isinstance(end, Payment)
        ends.add(repr(end))
    assert len(ends) == 1


def test_every_order_of_a_refund_s_news_ends_the_same() -> None:
    (accepted,), (confirmed,) = understood(refund(P.PROCESSING)), understood(refund(P.CONFIRMED))
    paid_out = f.of_refund(c.MarkRefundPaidOut, at=accepted.at)
    start, ends = f.refund_until("submitted"), set()
    for order in permutations([accepted, accepted, confirmed, confirmed, paid_out, paid_out]):
        world = World(start)
        for command in order:
            world.send(command)
        ends.add((repr(world.state(f.REFUND)), repr(world.state(f.PAYMENT))))
    assert len(ends) == 1


def test_a_failure_among_the_news_ends_with_the_money_free() -> None:
    """A confirmation that comes after the failure is refused: a person looks at it."""
    (confirmed,), (failed,) = understood(refund(P.CONFIRMED)), understood(refund(P.FAILED))
    (accepted,) = understood(refund(P.PROCESSING))
    paid_out = f.of_refund(c.MarkRefundPaidOut)
    start = f.refund_until("submitted")
    for order in permutations([accepted, confirmed, paid_out, failed]):
        world = World(start)
        for command in order:
            if command is confirmed and failed in order[: order.index(confirmed)]:
                with pytest.raises(Refused, match="This refund failed"):
                    world.send(command)
            else:
                world.send(command)
        state, of_payment = world.state(f.REFUND), world.state(f.PAYMENT)
        assert isinstance(state, Refund)
        assert isinstance(of_payment, Payment)
        assert (state.status, of_payment.left) == (Status.FAILED, 12_50)
