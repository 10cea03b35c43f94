"""Sentences for customers, contracts, receivables and documents."""

from __future__ import annotations

from domain.contracts.events import ContractSigned, InstalmentBilled
from domain.customers.events import CustomerRegistered
from domain.invoices import events as e
from webapp.format import day_text, money, number
from webapp.sentences.telling import Sentence, on
from webapp.texts import _

KILOBYTE = 1024

on(
    CustomerRegistered,
    lambda event: Sentence(
        _("Company registered as a customer")
        if event.kind == "business"
        else _("Person registered as a customer")
    ),
)
on(
    ContractSigned,
    lambda event: Sentence(
        _(
            "Contract %(number)s signed: %(product)s, first due on %(day)s",
            number=event.number,
            product=event.product,
            day=day_text(event.first_due_on),
        ),
        "good",
    ),
)
on(
    InstalmentBilled,
    lambda event: Sentence(
        _(
            "Instalment %(number)s billed, due on %(day)s",
            number=event.instalment + 1,
            day=day_text(event.due_on),
        )
    ),
)
on(
    e.ReceivableRaised,
    lambda event: Sentence(
        _(
            "%(amount)s owed to us, due on %(day)s",
            amount=money(event.amount),
            day=day_text(event.due_on),
        )
    ),
)
on(e.CollectionReserved, lambda event: Sentence(_("A payment will collect what is owed")))
on(
    e.CollectionReleased,
    lambda event: Sentence(_("No payment collects what is owed any more; it is open"), "warn"),
)
on(
    e.ReceiptApplied,
    lambda event: Sentence(
        _("%(amount)s counted towards what is owed", amount=money(event.amount)), "good"
    ),
)
on(
    e.ReceiptReversed,
    lambda event: Sentence(
        _("%(amount)s are owed again, as of the original due date", amount=money(event.amount)),
        "bad",
    ),
)
on(
    e.ReceivableReduced,
    lambda event: Sentence(_("What is owed fell by %(amount)s", amount=money(event.amount))),
)
on(
    e.ReceiptRefunded,
    lambda event: Sentence(
        _("%(amount)s less count as received: paid back", amount=money(event.amount))
    ),
)
on(
    e.ReceiptRestored,
    lambda event: Sentence(
        _("%(amount)s count as received again: the refund failed", amount=money(event.amount)),
        "warn",
    ),
)
on(
    e.InvoiceIssued,
    lambda event: Sentence(
        _(
            "Invoice %(number)s over %(amount)s issued",
            number=event.number,
            amount=money(event.amount),
        )
        if event.number
        else _("Invoice over %(amount)s issued", amount=money(event.amount))
    ),
)
on(
    e.CorrectionIssued,
    lambda event: Sentence(
        _(
            "Correction %(number)s issued: %(amount)s less on invoice %(invoice)s",
            number=event.number,
            amount=money(event.amount),
            invoice=event.invoice_number,
        )
    ),
)
on(
    e.DocumentRendered,
    lambda event: Sentence(
        _("PDF made, %(size)s kB", size=number(max(1, round(event.size / KILOBYTE))))
    ),
)
_CHANNELS = {"portal": lambda: _("Document placed in the customer's portal")}
on(
    e.DocumentDelivered,
    lambda event: Sentence(
        _CHANNELS[event.channel]()
        if event.channel in _CHANNELS
        else _("Document delivered: %(channel)s", channel=event.channel),
        "good",
    ),
)
