"""What a provider's news means for us: its updates as commands. Repeats and old news decide
nothing, so the order and the number of notifications do not matter (PROVIDERS 0.7)."""

from collections.abc import Callable
from typing import assert_never

from domain.kernel.ids import read_id
from domain.kernel.message import Command, Refused
from domain.payments import commands as c
from domain.payments import ports
from domain.payments.settlement_commands import ListPayout
from domain.payments.settlement_events import ItemKind, PayoutItem

KINDS: dict[ports.PayoutItemKind, ItemKind] = {
    ports.PayoutItemKind.PAYMENT: ItemKind.PAYMENT,
    ports.PayoutItemKind.REFUND: ItemKind.REFUND,
    ports.PayoutItemKind.REFUND_FAILURE: ItemKind.REFUND_FAILURE,
    ports.PayoutItemKind.REVERSAL: ItemKind.RETURN,
    ports.PayoutItemKind.OTHER: ItemKind.OTHER,
}
_REFUND_ITEMS = frozenset({ItemKind.REFUND, ItemKind.REFUND_FAILURE})

PaymentOf = Callable[[str], str]
"""The payment of one of our refunds."""


def commands_for(
    provider: str, update: ports.ProviderUpdate, payment_of: PaymentOf
) -> list[Command]:
    """[] for news without consequence. Raises Refused for news that nobody understands, and
    MalformedId for an operation id that is not ours."""
    match update:
        case ports.PaymentUpdate():
            return [_payment(provider, update)]
        case ports.PaymentReversal():
            read_id(update.operation_id, "pay")
            return [
                c.ReturnPayment(
                    by=provider,
                    payment_id=update.operation_id,
                    reference=update.reference,
                    amount=update.amount,
                    code=update.code or update.raw_code,
                    raw_code=update.raw_code,
                    fee=update.fee,
                )
            ]
        case ports.RefundUpdate():
            read_id(update.operation_id, "rf")
            return [_refund(provider, update, payment_of(update.operation_id))]
        case ports.PayoutUpdate():
            return [_payout(provider, update, payment_of)]
        case ports.Ignored():
            return []
        case ports.Unrecognised():
            raise Refused("Not understood: %(reason)s", reason=update.reason)
        case _:
            assert_never(update)


def _payment(provider: str, update: ports.PaymentUpdate) -> Command:
    payment_id = update.operation_id
    read_id(payment_id, "pay")
    match update.state:
        case ports.ProviderState.PROCESSING:
            return c.RecordPaymentAccepted(
                by=provider, payment_id=payment_id, reference=update.reference
            )
        case ports.ProviderState.CONFIRMED:
            return c.ConfirmPayment(by=provider, payment_id=payment_id, reference=update.reference)
        case ports.ProviderState.FAILED:
            return c.FailPayment(
                by=provider,
                payment_id=payment_id,
                code=update.code or update.raw_code,
                raw_code=update.raw_code,
            )
        case _:
            assert_never(update.state)


def _refund(provider: str, update: ports.RefundUpdate, payment_id: str) -> Command:
    refund_id = update.operation_id
    match update.state:
        case ports.ProviderState.PROCESSING:
            return c.RecordRefundAccepted(
                by=provider,
                refund_id=refund_id,
                payment_id=payment_id,
                reference=update.reference,
            )
        case ports.ProviderState.CONFIRMED:
            return c.ConfirmRefund(
                by=provider,
                refund_id=refund_id,
                payment_id=payment_id,
                reference=update.reference,
            )
        case ports.ProviderState.FAILED:
            return c.FailRefund(
                by=provider,
                refund_id=refund_id,
                payment_id=payment_id,
                code=update.raw_code,
                raw_code=update.raw_code,
            )
        case _:
            assert_never(update.state)


def _payout(provider: str, update: ports.PayoutUpdate, payment_of: PaymentOf) -> Command:
    return ListPayout(
        by=provider,
        provider=provider,
        provider_payout=update.reference,
        reference=update.trace_id,
        net=update.net,
        items=tuple(_item(item, payment_of) for item in update.items),
    )


def _item(item: ports.PayoutItem, payment_of: PaymentOf) -> PayoutItem:
    """Without our id an item counts in the sum and names nothing of ours."""
    kind, ours = KINDS[item.kind], item.operation_id or None
    is_refund = kind in _REFUND_ITEMS
    payment_id = payment_of(ours) if ours and is_refund else ours
    return PayoutItem(
        kind=kind,
        payment_id=payment_id,
        refund_id=ours if is_refund else None,
        amount=item.gross,
        fee=item.fee,
        reference=item.reference or item.transaction,
    )
