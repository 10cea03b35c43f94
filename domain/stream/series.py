"""Gap-free number series as rows: taken inside the command's transaction before it decides, given
back by its rollback. It formats no number."""

from psycopg.pq import TransactionStatus

from domain.stream.database import Connection


def take(connection: Connection, series: str) -> int:
    """The next number; its row stays locked until the transaction ends."""
    if connection.info.transaction_status == TransactionStatus.IDLE:
        raise RuntimeError("a number is taken inside a transaction: alone it would leave a gap")
    row = connection.execute(
        "INSERT INTO number_series AS s (series, last) VALUES (%s, 1)"
        " ON CONFLICT (series) DO UPDATE SET last = s.last + 1 RETURNING last",
        (series,),
        prepare=True,
    ).fetchone()
    assert row is not None
    return int(row[0])
