"""What happened to one customer or one contract, over all services, a page at a time. It reads the
tables of the stream read model and has none of its own."""

from collections.abc import Sequence
from typing import LiteralString

from domain.kernel.value import Value
from domain.readmodels.stream import Entry, read_entries
from domain.stream.database import Connection

PAGE = 30
"""About one screen of sentences; who wants more presses More."""


class Wanted(Value):
    """Which events: of these services (none: all), without these types (they repeat what another
    event says), behind this position of the feed."""

    services: Sequence[str] = ()
    without: Sequence[str] = ()
    after: int | None = None


class Timeline(Value):
    """Newest first; `after` is the position to continue behind, None at the beginning of time."""

    entries: tuple[Entry, ...]
    after: int | None


_OF_CUSTOMER: LiteralString = "customer_id = %(id)s"
# The streams of a contract: its own and those of everything that its bills became.
_OF_CONTRACT: LiteralString = """stream = ANY(ARRAY(
  WITH billed AS (SELECT * FROM read.contract_instalment WHERE contract_id = %(id)s),
       paid AS (SELECT payment_id FROM read.payment WHERE contract_id = %(id)s),
       document AS (SELECT d.document_id FROM billed b
                      JOIN read.invoices_document d ON d.corrects_id = b.invoice_id)
  SELECT %(id)s
   UNION SELECT mandate_id FROM read.contract WHERE contract_id = %(id)s
   UNION SELECT receivable_id FROM billed
   UNION SELECT invoice_id FROM billed
   UNION SELECT document_id FROM document
   UNION SELECT payment_id FROM paid
   UNION SELECT refund_id FROM paid JOIN read.refund USING (payment_id)
   UNION SELECT recovery_id FROM paid JOIN read.customer_recovery USING (payment_id)
   UNION SELECT case_id FROM paid JOIN read.work_case USING (payment_id)))
"""
_REST: LiteralString = """
   AND type <> ALL(%(without)s)
   AND (%(all)s OR service = ANY(%(services)s))
   AND (%(after)s::bigint IS NULL OR feed_position < %(after)s)
 ORDER BY feed_position DESC LIMIT %(limit)s
"""


def of_customer(connection: Connection, customer_id: str, wanted: Wanted) -> Timeline:
    return _read(connection, _OF_CUSTOMER, customer_id, wanted)


def of_contract(connection: Connection, contract_id: str, wanted: Wanted) -> Timeline:
    return _read(connection, _OF_CONTRACT, contract_id, wanted)


def _read(connection: Connection, whose: LiteralString, thing: str, wanted: Wanted) -> Timeline:
    values = {
        "id": thing,
        "without": list(wanted.without),
        "services": list(wanted.services),
        "all": not wanted.services,
        "after": wanted.after,
        "limit": PAGE + 1,
    }
    tail: LiteralString = f"WHERE {whose} {_REST}"
    found = read_entries(connection, tail, values)
    shown = tuple(found[:PAGE])
    return Timeline(entries=shown, after=shown[-1].feed_position if len(found) > PAGE else None)
