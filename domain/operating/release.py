"""Setting going again what was set aside: a parked stream, a parked effect, a notification in
quarantine; and taking in a statement. Each release closes its case by fact."""

from hashlib import sha256
from typing import Literal
from uuid import UUID

from domain.deciding import CODEC
from domain.dispatch import Dispatcher
from domain.following import flow_readers
from domain.kernel.ids import name_uuid
from domain.kernel.message import Refused
from domain.operating.cases import effect_case, notification_case, stream_case
from domain.operating.watch import BANK, BankFile, bank_file, quarantined
from domain.readmodels.registry import READMODELS
from domain.stream import effects, inbox, subscription
from domain.stream.database import Connection
from domain.work.commands import CloseCase

STATEMENTS = "statements"
"""What bank files are about: they are read together, in the order of their days."""
SAFE_AGAIN = frozenset({"render", "probe_provider", inbox.TRANSLATE})
"""Kinds that call no provider to move money: they simply run again. All others are asked about
before they are sent."""


def release_stream(dispatcher: Dispatcher, consumer: str, stream: str, by: str) -> bool:
    """Replays what the consumer missed of the stream and lets it go on; False when it is not
    parked. Raises Refused with what it still stumbles over."""
    with dispatcher.read() as connection:
        parked = [one for one in subscription.list_parked(connection) if one.stream == stream]
        mine = next((one for one in parked if one.consumer == consumer), None)
        if mine is None:
            return False
        try:
            _replay(dispatcher, connection, consumer, stream)
        except subscription.Indigestible as error:
            raise Refused(
                "%(consumer)s still stumbles over this stream: %(error)s Nothing was released.",
                consumer=consumer,
                error=str(error),
            ) from error
    _close(dispatcher, stream_case(mine), by)
    return True


def _replay(dispatcher: Dispatcher, connection: Connection, consumer: str, stream: str) -> None:
    for model in READMODELS:
        if model.name == consumer:
            subscription.release(connection, CODEC, model, stream)
            return
    for reader in flow_readers(dispatcher):
        if reader.name == consumer:
            subscription.release_outside(connection, CODEC, reader, stream)
            return
    raise Refused("There is no reader called %(consumer)s.", consumer=consumer)


def release_effect(dispatcher: Dispatcher, effect_id: UUID, by: str) -> bool:
    """Gives a parked effect back to the workers; False when it is not parked."""
    with dispatcher.read() as connection:
        listed = effects.list_parked(connection)
        parked = next((one for one in listed if one.effect_id == effect_id), None)
        if parked is None:
            return False
        again: Literal["waiting", "unknown"]
        again = "waiting" if parked.kind in SAFE_AGAIN else "unknown"
        released = effects.release(connection, effect_id, again)
    if released:
        _close(dispatcher, effect_case(parked), by)
    return released


def translate_again(dispatcher: Dispatcher, provider: str, notification_id: str, by: str) -> bool:
    """A quarantined notification is read once more; False when it is not in quarantine."""
    with dispatcher.read() as connection:
        listed = quarantined(connection, provider, notification_id)
        effect_id = inbox.retranslate(connection, provider, notification_id)
    if effect_id is None or not listed:
        return False
    _close(dispatcher, notification_case(listed[0]), by)
    return True


def receive_statement(dispatcher: Dispatcher, name: str, body: bytes) -> BankFile | None:
    """The door of uploads and of the bank's folder. None: it is new and will be read now; else
    the file as it was received before."""
    hint = inbox.Hint(
        provider=BANK,
        notification_id=sha256(body).hexdigest(),
        object_id=STATEMENTS,
        headers={"file": name},
        body=body,
        verdict="verified",
    )
    return None if dispatcher.receive(hint) is not None else bank_file(dispatcher, body)


def _close(dispatcher: Dispatcher, case: str, by: str) -> None:
    dispatcher.dispatch(CloseCase(by=by, case_id=case), name_uuid("released", case))
