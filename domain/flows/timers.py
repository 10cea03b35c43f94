"""Which command a timer becomes when it is due. A late one decides nothing."""

from collections.abc import Callable
from datetime import date

from domain.contracts.commands import BillInstalment
from domain.kernel.message import Command
from domain.payments.commands import ExpireRefund
from domain.work.commands import OpenCaseWhileWaiting, case_id
from domain.work.events import CaseType

BY = "timer"


def _bill(stream: str, payload: dict[str, str]) -> Command:
    return BillInstalment(by=BY, contract_id=stream, due_on=date.fromisoformat(payload["due_on"]))


def _expire(stream: str, payload: dict[str, str]) -> Command:
    return ExpireRefund(by=BY, refund_id=stream, payment_id=payload["payment_id"])


def _review(stream: str, payload: dict[str, str]) -> Command:
    return OpenCaseWhileWaiting(
        by=BY,
        case_id=case_id(CaseType.PAYOUT_MISSING, stream),
        case_type=CaseType.PAYOUT_MISSING,
        subject=stream,
    )


TIMERS: dict[str, Callable[[str, dict[str, str]], Command]] = {
    "bill_instalment": _bill,
    "expire_refund": _expire,
    "review_payout": _review,
}
