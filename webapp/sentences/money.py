"""Sentences for payouts, bank statements and their lines."""

from __future__ import annotations

from domain.payments import settlement_events as e
from webapp.format import day_text, money
from webapp.sentences.telling import Sentence, on
from webapp.texts import _, ngettext

on(
    e.PayoutListed,
    lambda event: Sentence(
        ngettext(
            "The provider lists a payout of %(net)s with %(count)s item",
            "The provider lists a payout of %(net)s with %(count)s items",
            len(event.items),
            net=money(event.net),
        )
    ),
)
on(
    e.PayoutArrived,
    lambda event: Sentence(
        _("A bank line of %(amount)s carries the payout's reference", amount=money(event.amount)),
        "good",
    ),
)
on(
    e.PayoutSettled,
    lambda event: Sentence(_("Payout settled: listed and arrived are equal to the cent"), "good"),
)
on(
    e.PayoutDiffers,
    lambda event: Sentence(
        _(
            "The payout differs: %(listed)s listed, %(arrived)s arrived",
            listed=money(event.listed),
            arrived=money(event.arrived),
        ),
        "bad",
    ),
)
on(
    e.StatementImported,
    lambda event: Sentence(
        ngettext(
            "Statement %(number)s imported with %(count)s line, closing balance %(closing)s",
            "Statement %(number)s imported with %(count)s lines, closing balance %(closing)s",
            event.lines,
            number=event.bank_reference,
            closing=money(event.closing),
        ),
        "good",
    ),
)
on(
    e.BalanceProved,
    lambda event: Sentence(
        _(
            "Our account is proved up to %(day)s, balance %(closing)s",
            day=day_text(event.to_on),
            closing=money(event.closing),
        )
    ),
)
on(
    e.LineBooked,
    lambda event: Sentence(
        _(
            "%(amount)s booked on our account on %(day)s",
            amount=money(event.amount),
            day=day_text(event.booked_on),
        )
    ),
)
on(
    e.LineReserved,
    lambda event: Sentence(
        _("%(amount)s of the bank line explain a payout", amount=money(event.amount)), "good"
    ),
)
on(
    e.LineRepeated,
    lambda event: Sentence(
        _(
            "%(amount)s came with the reference of a payout that had arrived already",
            amount=money(event.amount),
        ),
        "warn",
    ),
)
