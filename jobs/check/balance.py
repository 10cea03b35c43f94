"""Invariant 2: what screens call a balance adds up to the cent, and is what the receivables say,
for every customer and every contract."""

from collections.abc import Iterator

from domain.readmodels import contracts, customers, invoices
from domain.stream import subscription
from domain.stream.database import Connection
from jobs.check.broken import Broken

MODELS = frozenset({customers.MODEL.name, contracts.MODEL.name, invoices.MODEL.name})
_ADDS_UP = """
SELECT thing FROM (
  SELECT customer_id AS thing, billed, reduced, paid, on_its_way, due, open_again, credit
    FROM read.customer
   UNION ALL
  SELECT contract_id, billed, reduced, paid, on_its_way, due, open_again, credit
    FROM read.contract) balance
 WHERE billed - reduced <> paid + on_its_way + due + open_again - credit
    OR least(reduced, on_its_way, due, open_again, credit) < 0
"""
# Each side from the events on its own: contracts, customers and the figures of the invoices.
_AGREE = """
WITH figures AS (SELECT d.customer_id, d.contract_id, sum(r.owed + r.reduced) AS billed,
                        sum(r.reduced) AS reduced, sum(r.applied) AS paid
                   FROM read.invoices_receivable r
                   JOIN read.invoices_document d ON d.document_id = r.invoice_id
                  GROUP BY GROUPING SETS ((d.customer_id), (d.contract_id)))
SELECT coalesce(c.customer_id, k.contract_id, f.customer_id, f.contract_id)
  FROM figures f
  FULL JOIN read.customer c ON c.customer_id = f.customer_id
  LEFT JOIN read.contract k ON k.contract_id = f.contract_id
 WHERE (coalesce(c.billed, k.billed, 0), coalesce(c.reduced, k.reduced, 0),
        coalesce(c.paid, k.paid, 0))
       IS DISTINCT FROM (coalesce(f.billed, 0), coalesce(f.reduced, 0), coalesce(f.paid, 0))
"""


def adds_up(connection: Connection) -> Iterator[Broken]:
    for (thing,) in connection.execute(_ADDS_UP).fetchall():
        yield Broken(invariant="2", subject=thing, what="the balance does not add up")


def agrees(connection: Connection) -> Iterator[Broken]:
    """Read models that follow together can be compared, unless one of them set a stream aside."""
    if any(one.consumer in MODELS for one in subscription.list_parked(connection)):
        return
    for (thing,) in connection.execute(_AGREE).fetchall():
        what = "the balance is not what its receivables were billed, reduced and paid"
        yield Broken(invariant="2", subject=thing, what=what)
