"""Ways to have something set aside, by the means that set it aside in real life."""

from __future__ import annotations

from uuid import UUID, uuid4

from domain.customers.commands import RegisterCustomer
from domain.dispatch import Dispatcher
from domain.kernel.ids import write_id
from domain.stream import clock, effects, inbox
from tests.readmodels.kit import Kit


def parked_stream(kit: Kit, *, name: str = "Nadia Brandt") -> str:
    """A customer whose only event cannot be read, as a lost upcaster would leave it."""
    customer_id = write_id("cus", uuid4())
    kit.do(
        RegisterCustomer(
            by="demo",
            customer_id=customer_id,
            number="K-000815",
            kind="private",
            name=name,
            street="Am Sandtorkai 1",
            postcode="20457",
            city="Hamburg",
            email="nadia@example.org",
        )
    )
    _change(kit, customer_id, "data - 'kind'")
    kit.settle()
    return customer_id


def repair(kit: Kit, customer_id: str) -> None:
    _change(kit, customer_id, """data || '{"kind": "private"}'""")


def _change(kit: Kit, customer_id: str, to: str) -> None:
    with kit.kontor.read() as connection:
        changed = connection.execute(
            f"UPDATE event SET data = {to} WHERE type = 'customer-registered'"
            " AND data->>'customer_id' = %s".encode(),
            (customer_id,),
        ).rowcount
    assert changed == 1


def parked_effect(kontor: Dispatcher, kind: str) -> UUID:
    """A due effect of that kind whose worker gave up."""
    with kontor.read() as connection:
        now = clock.now(connection)
        for due in effects.due(connection, now, 100):
            claimed = effects.claim(connection, due.effect_id, now)
            if claimed is None:
                continue
            if claimed.effect.kind == kind:
                effects.park(connection, claimed, "RenderFailed: the template is broken")
                return due.effect_id
            effects.finish(connection, claimed.then("waiting"))
    raise AssertionError(f"no {kind} is due")


def quarantined(
    kontor: Dispatcher, provider: str = "stripe", body: bytes = b'{"id": "evt_1"}'
) -> str:
    """A notification that could not be understood."""
    notification_id = f"evt_{uuid4().hex[:8]}"
    kontor.receive(
        inbox.Hint(
            provider=provider,
            notification_id=notification_id,
            object_id=None,
            headers={"User-Agent": "Stripe/1.0"},
            body=body,
            verdict="verified",
        )
    )
    quarantine(kontor, notification_id, provider)
    return notification_id


def quarantine(kontor: Dispatcher, notification_id: str, provider: str = "stripe") -> None:
    """What the worker does with one, its effect included."""
    with kontor.read() as connection:
        found = inbox.load_notification(connection, provider, notification_id)
        assert found is not None
        claimed = effects.claim(connection, found.effect_id, clock.now(connection))
        assert claimed is not None
        why = "Not understood: an unknown type"
        inbox.settle(connection, provider, [notification_id], "quarantined", why)
        effects.finish(connection, claimed.then("done"))
