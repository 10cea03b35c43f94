"""Whose database this is: it is stamped with the mode it was made in, and its keys open with one
key-encryption key only. Whoever uses another one must not go on."""

from domain.stream import keys
from domain.stream.database import Connection


class InstallationRefused(Exception):
    """This database must not be used by this program in this mode; the text says why."""


def stamped_mode(connection: Connection) -> str | None:
    """None before the first migration."""
    there = connection.execute("SELECT to_regclass('installation') IS NOT NULL").fetchone()
    if there is None or not there[0]:
        return None
    row = connection.execute("SELECT mode FROM installation").fetchone()
    return None if row is None else str(row[0])


def prove_mode(stamped: str, mode: str) -> None:
    if stamped != mode:
        raise InstallationRefused(
            f"{stamped} database in {mode} mode: this database was made in {stamped} mode."
            " Nothing was changed. Set another DATABASE_URL or KONTOR_MODE."
        )


def prove_key(connection: Connection) -> None:
    try:
        keys.prove(connection)
    except keys.CannotOpen as error:
        raise InstallationRefused(
            "KONTOR_KEK does not open the keys of this database: everybody in it would read as"
            " erased. Nothing was changed. Set the key-encryption key it was made with (in the"
            " sandbox: the file secrets of the old data folder)."
        ) from error


def prove(connection: Connection, mode: str) -> None:
    """For every process before it does anything. Raises InstallationRefused."""
    stamped = stamped_mode(connection)
    if stamped is None:
        raise InstallationRefused(
            "This database has not been made ready. Run `python -m jobs.migrate` first."
        )
    prove_mode(stamped, mode)
    prove_key(connection)
