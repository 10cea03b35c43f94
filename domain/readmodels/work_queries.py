"""What the Work screens ask of their read model: counts of the tabs, a page of cases, one case."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

import msgspec
from psycopg import sql

from domain.kernel.ids import MalformedId, read_id
from domain.kernel.value import Value
from domain.readmodels.asking import OF_STREAM, Asking, read_asking
from domain.readmodels.work import BilledRow, CaseRow, RequestRow
from domain.stream.database import Connection

PAGE_ROWS = 50
COUNT_CAP = 10_000
"""Closed cases grow for ever; counting stops here and says "over"."""
_BIGINT_MAX = 2**63 - 1


class Tab(StrEnum):
    MINE = "mine"
    LATE = "late"
    ALL = "all"
    SNOOZED = "snoozed"
    CLOSED = "closed"


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


class Listing(Value):
    """One page of cases; `after` is the key of the next one."""

    cases: tuple[CaseRow, ...]
    after: str | None


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
_AWAKE = sql.SQL("closed_at IS NULL AND (snoozed_until IS NULL OR snoozed_until <= %(today)s)")
_FILTERS: dict[Tab, sql.Composable] = {
    Tab.MINE: sql.SQL("{} AND owner = %(actor)s").format(_AWAKE),
    Tab.LATE: sql.SQL("{} AND until < %(today)s").format(_AWAKE),
    Tab.ALL: _AWAKE,
    Tab.SNOOZED: sql.SQL("closed_at IS NULL AND snoozed_until > %(today)s"),
    Tab.CLOSED: sql.SQL("closed_at IS NOT NULL"),
}
_URGENCY = sql.SQL("coalesce(until, 'infinity'), -coalesce(amount, 0), case_id")
_OPEN_PAGE = sql.SQL(
    "SELECT to_jsonb(c)::text FROM read.work_case c WHERE {filter}"
    " AND (%(case_id)s = '' OR ({order}) > (%(until)s::date, -%(amount)s::bigint, %(case_id)s))"
    " ORDER BY {order} LIMIT %(limit)s"
)
_CLOSED_PAGE = sql.SQL(
    "SELECT to_jsonb(c)::text FROM read.work_case c WHERE {filter}"
    " AND (%(position)s = 0 OR closed_position < %(position)s)"
    " ORDER BY closed_position DESC LIMIT %(limit)s"
)
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


def listing(
    connection: Connection, tab: Tab, *, actor: str, today: date, after: str = ""
) -> Listing:
    """Cases of a tab: by deadline, then by money at risk; closed ones the newest first.

    `after` comes from the page before; a text that is none starts at the beginning."""
    query, key = (_CLOSED_PAGE, _closed_key) if tab is Tab.CLOSED else (_OPEN_PAGE, _open_key)
    values = {"actor": actor, "today": today, "limit": PAGE_ROWS + 1, **_place(after)}
    found = connection.execute(
        query.format(filter=_FILTERS[tab], order=_URGENCY), values
    ).fetchall()
    cases = tuple(_CASE.decode(row[0]) for row in found[:PAGE_ROWS])
    return Listing(cases=cases, after=key(cases[-1]) if len(found) > PAGE_ROWS else None)


def _open_key(case: CaseRow) -> str:
    return f"{case.until or 'infinity'}~{case.amount or 0}~{case.case_id}"


def _closed_key(case: CaseRow) -> str:
    return str(case.closed_position)


def _place(after: str) -> dict[str, object]:
    """Where a page begins: (until, amount, case) of open cases, a position of closed ones."""
    place: dict[str, object] = {"until": "infinity", "amount": 0, "case_id": "", "position": 0}
    until, _, rest = after.partition("~")
    amount, _, case_id = rest.partition("~")
    try:
        if not rest:
            return {**place, "position": min(int(until), _BIGINT_MAX)}
        if until != "infinity":
            date.fromisoformat(until)
        cents = max(-_BIGINT_MAX, min(int(amount), _BIGINT_MAX))
        read_id(case_id, "cs")
    except ValueError:
        return place
    return {**place, "until": until, "amount": cents, "case_id": case_id}


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
