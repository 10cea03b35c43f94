"""The newest value of what is observed from outside the stream: the last check, backup, restore
test. Operations looks at it; nothing is decided from it."""

from collections.abc import Mapping

from domain.stream.database import Connection

CHECK, BACKUP, RESTORE_TEST = "check", "backup", "restore-test"


def observe(connection: Connection, kind: str, values: Mapping[str, int]) -> None:
    """Takes the place of everything known of this kind."""
    with connection.transaction():
        connection.execute("DELETE FROM observation WHERE kind = %s", (kind,))
        for name, value in sorted(values.items()):
            connection.execute(
                "INSERT INTO observation (kind, name, value) VALUES (%s, %s, %s)",
                (kind, name, value),
            )
