"""What can be asked of payments, refunds, mandates and recoveries."""

from datetime import date

from domain.kernel.message import Command
from domain.kernel.money import Cents
from domain.payments.events import Reason


class RegisterMandate(Command):
    mandate_id: str
    customer_id: str
    reference: str
    creditor_id: str
    provider: str
    provider_customer: str
    provider_method: str
    iban: str
    signed_on: date

    def streams(self) -> tuple[str, ...]:
        return (self.mandate_id,)


class RevokeMandate(Command):
    mandate_id: str

    def streams(self) -> tuple[str, ...]:
        return (self.mandate_id,)


class PaymentCommand(Command):
    """A command over one payment."""

    payment_id: str

    def streams(self) -> tuple[str, ...]:
        return (self.payment_id,)


class SchedulePayment(PaymentCommand):
    receivable_id: str
    invoice_id: str
    contract_id: str
    customer_id: str
    mandate_id: str
    provider: str
    amount: Cents
    due_on: date
    debit_on: date
    prenotification_days: int


class AnnouncePayment(PaymentCommand):
    delivered_on: date
    debit_on: date


class SubmitPayment(PaymentCommand):
    """Sent by the worker before it calls the provider; `key` is the idempotency key."""

    mandate_id: str
    key: str

    def reads(self) -> tuple[str, ...]:
        return (self.mandate_id,)


class RecordPaymentAccepted(PaymentCommand):
    reference: str


class RecordPaymentUnknown(PaymentCommand):
    why: str


class ConfirmPayment(PaymentCommand):
    reference: str


class FailPayment(PaymentCommand):
    code: str
    raw_code: str


class ReturnPayment(PaymentCommand):
    reference: str
    amount: Cents
    code: str
    raw_code: str
    fee: Cents


class MarkPaymentPaidOut(PaymentCommand):
    """Each fact carries the provider's reference: it may be the first that reaches us."""

    reference: str
    payout_id: str
    fee: Cents


class SettlePayment(PaymentCommand):
    payout_id: str


class RefundCommand(Command):
    """A command over a refund and the payment that holds its reservation."""

    refund_id: str
    payment_id: str

    def streams(self) -> tuple[str, ...]:
        return (self.refund_id, self.payment_id)


class RequestRefund(RefundCommand):
    amount: Cents
    reason: Reason
    note: str


class ApproveRefund(Command):
    """Changes the refund alone: the reservation stands already. `role` is that of `by` now."""

    refund_id: str
    payment_id: str
    role: str

    def streams(self) -> tuple[str, ...]:
        return (self.refund_id,)


class RejectRefund(RefundCommand):
    role: str
    remark: str = ""


class WithdrawRefund(RefundCommand):
    pass


class ExpireRefund(RefundCommand):
    pass


class SubmitRefund(RefundCommand):
    """Sent by the worker before it calls the provider; `key` is the idempotency key."""

    key: str


class RecordRefundAccepted(RefundCommand):
    reference: str


class RecordRefundUnknown(RefundCommand):
    why: str


class ConfirmRefund(RefundCommand):
    reference: str


class FailRefund(RefundCommand):
    """Refused at once, failed days later, or pointless because the debit was returned."""

    code: str
    raw_code: str


class MarkRefundPaidOut(RefundCommand):
    reference: str
    payout_id: str


class SettleRefund(RefundCommand):
    payout_id: str


class AdjustRecovery(Command):
    """`amount` is what left us twice for this payment, all told."""

    recovery_id: str
    payment_id: str
    customer_id: str
    amount: Cents

    def streams(self) -> tuple[str, ...]:
        return (self.recovery_id,)
