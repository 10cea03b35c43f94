"""What the Work screens ask of their read model: counts of the tabs, a page of cases, one case."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

import msgspec
from psycopg.errors import InvalidSchemaName, UndefinedTable

from domain.kernel.ids import MalformedId, read_id
from domain.kernel.value import Value
from domain.readmodels.asking import OF_STREAM, Asking, read_asking
from domain.readmodels.lists import Filters, Kind, Sort, Source, Term
from domain.readmodels.work import BilledRow, CaseRow, RequestRow
from domain.stream.database import Connection

COUNT_CAP = 10_000
"""Closed cases grow for ever; counting stops here and says "over"."""

CASES = Source(
    table="read.work_case",
    row=CaseRow,
    key=Term(sql="case_id", kind=Kind.TEXT),
    sorts={
        "urgency": Sort(
            terms=(
                Term(sql="coalesce(until, 'infinity')", kind=Kind.DAY),
                Term(sql="(-coalesce(amount, 0))", kind=Kind.NUMBER),
            )
        ),
        "type": Sort(terms=(Term(sql="case_type", kind=Kind.TEXT),)),
        "customer": Sort(terms=(Term(sql="sorted_name", kind=Kind.TEXT),)),
        "amount": Sort(terms=(Term(sql="coalesce(amount, 0)", kind=Kind.NUMBER),), down=True),
        "owner": Sort(terms=(Term(sql="coalesce(owner, '')", kind=Kind.TEXT),)),
        "opened": Sort(terms=(Term(sql="opened_at", kind=Kind.INSTANT),)),
        "back": Sort(terms=(Term(sql="coalesce(snoozed_until, '-infinity')", kind=Kind.DAY),)),
        "closed": Sort(
            terms=(Term(sql="coalesce(closed_position, 0)", kind=Kind.NUMBER),), down=True
        ),
    },
    conditions={
        "open": "closed_at IS NULL",
        "closed": "closed_at IS NOT NULL",
        "awake": "(snoozed_until IS NULL OR snoozed_until <= %(awake)s)",
        "snoozed": "snoozed_until > %(snoozed)s",
        "late": "until < %(late)s",
        "mine": "owner = %(mine)s",
        "owner": "owner = %(owner)s",
        "nobody": "owner IS NULL",
        "case_type": "case_type = %(case_type)s",
        "case_types": "case_type = ANY(%(case_types)s)",
        "customer_id": "customer_id = %(customer_id)s",
        "customer_words": "array_to_tsvector(words) @@ %(customer_words)s::tsquery",
        "payment_id": "payment_id = %(payment_id)s",
        "amount_min": "amount >= %(amount_min)s",
        "amount_max": "amount <= %(amount_max)s",
        "until_from": "until >= %(until_from)s",
        "until_to": "until <= %(until_to)s",
        "opened_from": "opened_at >= %(opened_from)s",
        "opened_to": "opened_at < %(opened_to)s",
    },
)


class Tab(StrEnum):
    MINE = "mine"
    LATE = "late"
    ALL = "all"
    SNOOZED = "snoozed"
    CLOSED = "closed"


def of_tab(tab: Tab, actor: str, today: date) -> Filters:
    """What a tab holds on that day for that person, as filters of the list."""
    awake: Filters = {"open": True, "awake": today}
    match tab:
        case Tab.MINE:
            return {**awake, "mine": actor}
        case Tab.LATE:
            return {**awake, "late": today}
        case Tab.ALL:
            return awake
        case Tab.SNOOZED:
            return {"open": True, "snoozed": today}
        case Tab.CLOSED:
            return {"closed": True}


class Overview(Value):
    """How many cases each tab holds, and how many events of the day nobody had to touch."""

    mine: int
    late: int
    all: int
    snoozed: int
    closed: int
    by_itself: int

    @property
    def closed_capped(self) -> bool:
        return self.closed > COUNT_CAP


class Detail(Value):
    case: CaseRow
    request: RequestRow | None
    billed: BilledRow | None
    asking: Asking | None = None


_OVERVIEW = """
SELECT count(*) FILTER (WHERE awake AND owner = %(actor)s),
       count(*) FILTER (WHERE awake AND until < %(today)s),
       count(*) FILTER (WHERE awake),
       count(*) FILTER (WHERE NOT awake),
       (SELECT count(*) FROM (SELECT 1 FROM read.work_case
                               WHERE closed_at IS NOT NULL LIMIT %(cap)s) closed),
       coalesce((SELECT events - by_people FROM read.work_day WHERE day = %(today)s), 0)
  FROM (SELECT owner, until, snoozed_until IS NULL OR snoozed_until <= %(today)s AS awake
          FROM read.work_case WHERE closed_at IS NULL) open
"""
WAITING = """
SELECT count(*) FROM (SELECT FROM read.work_case
                       WHERE closed_at IS NULL
                         AND (snoozed_until IS NULL OR snoozed_until <= %(today)s)
                       LIMIT %(cap)s) waiting
"""
_DETAIL = f"""
SELECT to_jsonb(c)::text, to_jsonb(r)::text, to_jsonb(b)::text,
       {OF_STREAM.format(stream="c.subject")}
  FROM read.work_case c
  LEFT JOIN read.work_request r ON r.refund_id = c.refund_id
  LEFT JOIN read.work_billed b ON b.payment_id = c.payment_id
 WHERE c.case_id = %s
"""  # noqa: S608 constants only
_CHOSEN = "SELECT to_jsonb(c)::text FROM read.work_case c WHERE case_id = ANY (%s)"
_CASE = msgspec.json.Decoder(CaseRow)


def overview(connection: Connection, actor: str, today: date) -> Overview:
    values = {"actor": actor, "today": today, "cap": COUNT_CAP + 1}
    row = connection.execute(_OVERVIEW, values, prepare=True).fetchone()
    mine, late, all_, snoozed, closed, by_itself = row or (0,) * 6
    return Overview(
        mine=mine, late=late, all=all_, snoozed=snoozed, closed=closed, by_itself=by_itself
    )


def waiting(connection: Connection, today: date, cap: int) -> int:
    """As `Overview.all`, counted up to `cap`; 0 while the follower has not made the tables."""
    try:
        row = connection.execute(WAITING, {"today": today, "cap": cap}, prepare=True).fetchone()
    except (UndefinedTable, InvalidSchemaName):
        return 0
    return int(row[0]) if row else 0


def detail(connection: Connection, case_id: str) -> Detail | None:
    """None for a case that does not exist, and for a text that is no id."""
    try:
        read_id(case_id, "cs")
    except MalformedId:
        return None
    row = connection.execute(_DETAIL, (case_id,), prepare=True).fetchone()
    if row is None:
        return None
    case, request, billed, asking = row
    return Detail(
        case=_CASE.decode(case),
        request=None if request is None else msgspec.json.decode(request, type=RequestRow),
        billed=None if billed is None else msgspec.json.decode(billed, type=BilledRow),
        asking=read_asking(asking),
    )


def chosen(connection: Connection, case_ids: Sequence[str]) -> list[CaseRow]:
    """These cases in the order asked for; unknown ones are left out."""
    place = {case_id: n for n, case_id in enumerate(case_ids) if "\0" not in case_id}
    found = [_CASE.decode(row[0]) for row in connection.execute(_CHOSEN, (list(place),))]
    return sorted(found, key=lambda case: place[case.case_id])
