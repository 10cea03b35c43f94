"""A case opens once, is taken, snoozed and noted by people, and closes once: by fact or by act."""

from datetime import date
from enum import StrEnum
from typing import Protocol, TypeAlias, assert_never, runtime_checkable

from msgspec.structs import replace

from domain.kernel.decider import Deciders, Thing, on_many, on_one
from domain.kernel.ids import HOUSE
from domain.kernel.message import Decision, Event, Refused, States
from domain.kernel.time import berlin_date
from domain.kernel.transitions import step
from domain.kernel.value import Value
from domain.work import commands as c
from domain.work import events as e

CaseFact: TypeAlias = e.CaseOpened | e.CaseTaken | e.CaseSnoozed | e.CaseNoted | e.CaseClosed


@runtime_checkable
class Waiting(Protocol):
    """A thing of another service that can still be waiting for something."""

    @property
    def waiting(self) -> bool: ...


class Status(StrEnum):
    NOTHING = "nothing"
    OPEN = "open"
    CLOSED = "closed"


S = Status
TRANSITIONS: dict[tuple[Status, str], Status] = {
    (S.NOTHING, "case-opened"): S.OPEN,
    (S.OPEN, "case-taken"): S.OPEN,
    (S.OPEN, "case-snoozed"): S.OPEN,
    (S.OPEN, "case-noted"): S.OPEN,
    (S.OPEN, "case-closed"): S.CLOSED,
}
BY_FACT_ONLY = frozenset({e.CaseType.REFUND_APPROVAL})
"""Cases that no remark closes: somebody has to decide."""


class Case(Value):
    status: Status = Status.NOTHING
    opened: e.CaseOpened | None = None
    owner: str | None = None
    snoozed_until: date | None = None


def evolve(state: Case, event: CaseFact) -> Case:
    moved = replace(state, status=step(TRANSITIONS, state.status, event.wire()))
    match event:
        case e.CaseOpened():
            return replace(moved, opened=event)
        case e.CaseTaken():
            return replace(moved, owner=event.taken_by)
        case e.CaseSnoozed():
            return replace(moved, snoozed_until=event.until)
        case e.CaseNoted() | e.CaseClosed():
            return moved
        case _:
            assert_never(event)


def open_case(command: c.OpenCase, case: Case) -> list[Event]:
    """[] when it was ever open: a case opens once."""
    if case.opened is not None:
        return []
    return [
        e.CaseOpened(
            at=command.at,
            case_id=command.case_id,
            case_type=command.case_type,
            subject=command.subject,
            customer_id=command.customer_id,
            amount=command.amount,
            until=command.until,
            details=command.details,
        )
    ]


def open_while_waiting(command: c.OpenCaseWhileWaiting, states: States) -> Decision:
    """[] when the subject does not wait any more."""
    if not states.of(command.subject, Waiting).waiting:
        return []
    case = states.of(command.case_id, Case)
    return [(command.case_id, event) for event in open_case(command, case)]


def _opened(case: Case) -> e.CaseOpened:
    if case.opened is None:
        raise Refused("This case does not exist.")
    if case.status is Status.CLOSED:
        raise Refused("This case is closed already.")
    return case.opened


def take(command: c.TakeCase, case: Case) -> list[Event]:
    """[] when it is yours already. Anybody may take over."""
    _opened(case)
    if case.owner == command.by:
        return []
    return [e.CaseTaken(at=command.at, case_id=command.case_id, taken_by=command.by)]


def snooze(command: c.SnoozeCase, case: Case) -> list[Event]:
    _opened(case)
    if command.until <= berlin_date(command.at):
        raise Refused("A case is put off to a day that is still to come.")
    if case.snoozed_until == command.until:
        return []
    return [e.CaseSnoozed(at=command.at, case_id=command.case_id, until=command.until)]


def note(command: c.NoteCase, case: Case) -> list[Event]:
    opened = _opened(case)
    if not command.note.strip():
        raise Refused("A note needs a text.")
    return [
        e.CaseNoted(
            at=command.at,
            case_id=command.case_id,
            seal_under=opened.customer_id or HOUSE,
            note=command.note.strip(),
        )
    ]


def close(command: c.CloseCase, case: Case) -> list[Event]:
    """By fact: [] when it never opened or is closed. By a person: with a remark."""
    by_fact = command.how == "fact"
    if by_fact and (case.opened is None or case.status is Status.CLOSED):
        return []
    opened = _opened(case)
    if not by_fact and opened.case_type in BY_FACT_ONLY:
        raise Refused("This case closes when somebody approves or rejects the refund.")
    if not by_fact and not (command.remark or "").strip():
        raise Refused("Closing a case by hand needs a remark that says why.")
    return [
        e.CaseClosed(
            at=command.at,
            case_id=command.case_id,
            how=command.how,
            seal_under=opened.customer_id or HOUSE,
            remark=command.remark,
        )
    ]


CASE = Thing(
    prefix="cs",
    transitions=TRANSITIONS,
    initial=Case,
    evolve=evolve,
    events=(e.CaseOpened, e.CaseTaken, e.CaseSnoozed, e.CaseNoted, e.CaseClosed),
)


def _id(command: c.CaseCommand) -> str:
    return command.case_id


DECIDERS: Deciders = {
    c.OpenCase: on_one(_id, Case, open_case),
    c.OpenCaseWhileWaiting: on_many(open_while_waiting),
    c.TakeCase: on_one(_id, Case, take),
    c.SnoozeCase: on_one(_id, Case, snooze),
    c.NoteCase: on_one(_id, Case, note),
    c.CloseCase: on_one(_id, Case, close),
}
