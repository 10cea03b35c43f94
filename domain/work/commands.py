"""What can be asked of a case."""

from datetime import date

from domain.kernel.ids import derive
from domain.kernel.message import Command
from domain.kernel.money import Cents
from domain.work.events import CaseType


def case_id(case_type: CaseType, subject: str, occasion: str = "") -> str:
    """One case for one subject; one more for each occasion, such as a stream parked again."""
    return derive("cs", subject, case_type, subject, occasion)


class CaseCommand(Command):
    case_id: str

    def streams(self) -> tuple[str, ...]:
        return (self.case_id,)


class OpenCase(CaseCommand):
    case_type: CaseType
    subject: str
    customer_id: str | None = None
    amount: Cents | None = None
    until: date | None = None
    details: dict[str, str] = {}


class OpenCaseWhileWaiting(OpenCase):
    """Opens only if the subject still waits when this is decided."""

    def reads(self) -> tuple[str, ...]:
        return (self.subject,)


class TakeCase(CaseCommand):
    pass


class SnoozeCase(CaseCommand):
    until: date


class NoteCase(CaseCommand):
    note: str


class CloseCase(CaseCommand):
    """`how` is "fact" when sent by a flow. A person gives a remark."""

    how: str = "fact"
    remark: str | None = None
