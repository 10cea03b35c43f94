"""What a worker leaves behind when the provider did not answer: an effect that backs off."""

from __future__ import annotations

from domain.kernel.ids import read_id, shard_of
from domain.stream import effects
from tests.readmodels.kit import Following


def unanswered(kit: Following, stream: str, next_s: float) -> None:
    """Claims the effect that would send it, once, and lets it wait for so long."""
    with kit.kontor.read() as connection:
        row = connection.execute(
            "SELECT effect_id, due_at FROM effect WHERE shard = %s AND stream = %s"
            " AND kind IN ('submit_payment', 'submit_refund')",
            (shard_of(read_id(stream)), stream),
        ).fetchone()
        assert row is not None
        claimed = effects.claim(connection, *row)
        assert claimed is not None
        effects.finish(connection, claimed.then("unknown", not_before_s=next_s))
    kit.settle()
