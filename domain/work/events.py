"""What can be true of a case. What people do to an item is an event, so that read models stay
disposable (ARCHITECTURE, idea 6)."""

from datetime import date
from enum import StrEnum

from domain.kernel.ids import HOUSE
from domain.kernel.message import Event, Sealed
from domain.kernel.money import Cents


class CaseType(StrEnum):
    """STORY, "Cases of the first issue"."""

    REFUND_APPROVAL = "refund-approval"
    REFUND_FAILED = "refund-failed"
    OUTCOME_UNRESOLVED = "outcome-unresolved"
    PAYMENT_FAILED = "payment-failed"
    PAYMENT_RETURNED = "payment-returned"
    RECOVERY = "recovery"
    PAYOUT_DIFFERS = "payout-differs"
    PAYOUT_MISSING = "payout-missing"
    FOREIGN_REFUND = "foreign-refund"
    UNKNOWN_LINE = "unknown-line"
    HELD_STATEMENT = "held-statement"
    QUARANTINED_NOTIFICATION = "quarantined-notification"
    PARKED_STREAM = "parked-stream"
    PARKED_EFFECT = "parked-effect"
    PROVIDER_INCIDENT = "provider-incident"


class CaseEvent(Event):
    prefix = "cs"
    case_id: str


class CaseOpened(CaseEvent):
    """`subject` is the id of what it is about; `details` holds codes and ids, never free text."""

    case_type: CaseType
    subject: str
    customer_id: str | None
    amount: Cents | None
    until: date | None
    details: dict[str, str]


class CaseTaken(CaseEvent):
    """Somebody works on it."""

    taken_by: str


class CaseSnoozed(CaseEvent):
    """Put off to that day."""

    until: date


class CaseNoted(CaseEvent):
    """Free text is personal data: sealed under the customer's key, or the house's."""

    seal_under: str
    note: Sealed[str]

    @property
    def seal_subject(self) -> str:
        return self.seal_under


class CaseClosed(CaseEvent):
    """`how`: "fact" when the world closed it, else the act."""

    how: str
    seal_under: str = HOUSE
    remark: Sealed[str] = None

    @property
    def seal_subject(self) -> str:
        return self.seal_under
