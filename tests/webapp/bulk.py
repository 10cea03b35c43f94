"""Many rows in a read model, made from one that the story left there. No test lives here."""

from __future__ import annotations

from domain.dispatch import Dispatcher


def many_payments(kontor: Dispatcher, count: int, name: str = "Meyer") -> None:
    """That many more payments, each with a customer and an amount of its own."""
    with kontor.read() as connection:
        connection.execute(
            "INSERT INTO read.payment SELECT (jsonb_populate_record(p, jsonb_build_object("
            " 'payment_id', 'pay_' || lpad(n::text, 26, '0'), 'amount', n,"
            " 'customer', %s::text || ' ' || n))).*"
            " FROM read.payment p, generate_series(1, %s) n"
            " WHERE p.payment_id = (SELECT min(payment_id) FROM read.payment)",
            (name, count),
        )
