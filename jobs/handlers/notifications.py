"""Translating what came in: the object that hints name is fetched once for all that wait; a bank
file is checked whole and imported by one command."""

import msgspec

from domain import telling
from domain.kernel.ids import MalformedId, name_uuid
from domain.kernel.message import Refused
from domain.kernel.transitions import Impossible
from domain.payments.ports import Hint, Ignored, ProviderUpdate, Unrecognised
from domain.payments.refund import Refund
from domain.payments.settlement_commands import ImportStatement, StatementLine
from domain.payments.updates import commands_for
from domain.stream import effects, inbox
from domain.stream.database import Connection
from domain.stream.effects import Claimed
from jobs.context import Context
from jobs.providers.stripe import translate as stripe
from jobs.runs.camt import StatementRefused
from jobs.runs.statement import read_statement

BANK = "bank"
ORDERS = ("submit_payment", "submit_refund")
UNREADABLE = (Refused, MalformedId, Impossible, StatementRefused)
"""News that fits nothing we know: a person looks."""
_ASK = "ask-"
"""Our own questions stand in the inbox beside the provider's hints (`Dispatcher.ask_again`)."""


class TooEarly(Exception):
    """News about an order whose worker has not recorded what it knows: it fits in a moment."""


class _Asked(msgspec.Struct):
    ask: str


def translate(context: Context, claimed: Claimed) -> None:
    payload = claimed.effect.payload
    with context.dispatcher.read() as connection:
        # Hints that came before this moment are answered by one fetch; later ones fetch again.
        waiting = _waiting(connection, payload)
    for found in waiting[:1]:
        telling.notification(context.dispatcher.database, found.provider, found.body)
    if payload["provider"] == BANK:
        for found in waiting:
            _import_statement(context, claimed, found)
    else:
        _apply_hints(context, claimed, waiting)
    with context.dispatcher.read() as connection:
        inbox.translated(connection, claimed)


def _waiting(connection: Connection, payload: dict[str, str]) -> list[inbox.Notification]:
    provider = payload["provider"]
    if "object_id" in payload:
        return inbox.waiting_for_object(connection, provider, payload["object_id"])
    found = inbox.load_notification(connection, provider, payload["notification_id"])
    return [found] if found is not None and found.state == "waiting" else []


def _apply_hints(context: Context, claimed: Claimed, waiting: list[inbox.Notification]) -> None:
    wanted: dict[tuple[str, str], list[inbox.Notification]] = {}
    for found in waiting:
        hint = _read(found)
        match hint:
            case Hint():
                wanted.setdefault((hint.kind, hint.object_id), []).append(found)
            case Ignored():
                _settle(context, [found], "ignored", hint.reason)
            case Unrecognised():
                _settle(context, [found], "quarantined", f"Not understood: {hint.reason}")
    for (kind, object_id), hints in wanted.items():
        update = context.stripe.fetch(kind, object_id)
        if isinstance(update, Ignored):
            _settle(context, hints, "ignored", update.reason)
            continue
        try:
            recorded = _apply(context, claimed, hints[0].provider, update)
        except UNREADABLE as error:
            if _under_way(context, update):
                raise TooEarly(str(error)) from error
            _settle(context, hints, "quarantined", str(error))
            continue
        first, others = hints[:1], hints[1:]
        _settle(context, first, "applied" if recorded else "duplicate", None)
        _settle(context, others, "applied", f"with {first[0].notification_id}")


def _apply(context: Context, claimed: Claimed, provider: str, update: ProviderUpdate) -> int:
    """How many events it came to."""

    def payment_of(refund_id: str) -> str:
        refund = context.dispatcher.state(refund_id)
        if not isinstance(refund, Refund) or refund.requested is None:
            raise Refused("%(refund)s is not a refund of ours.", refund=refund_id)
        return refund.requested.payment_id

    recorded = 0
    for n, command in enumerate(commands_for(provider, update, payment_of)):
        # The effect lives as long as its object gets news: each claim of it is a fresh question.
        command_id = name_uuid(claimed.token, "apply", n)
        recorded += len(context.dispatcher.dispatch(command, command_id).events)
    return recorded


def _under_way(context: Context, update: ProviderUpdate) -> bool:
    """After a restore the provider knows of orders that we do not remember to have sent: the worker
    asks about them first, and then the news fits."""
    ours = getattr(update, "operation_id", "")
    with context.dispatcher.read() as connection:
        return bool(ours) and effects.is_open(connection, ours, ORDERS)


def _read(found: inbox.Notification) -> Hint | Ignored | Unrecognised:
    if found.notification_id.startswith(_ASK):
        kind = msgspec.json.decode(found.body, type=_Asked).ask
        return Hint(
            event_id=found.notification_id,
            event_type="asked",
            kind=kind,
            object_id=found.object_id or "",
        )
    return stripe.read_notification(found.body)


def _import_statement(context: Context, claimed: Claimed, found: inbox.Notification) -> None:
    """Held = quarantined with its reason; nothing of it is recorded."""
    try:
        command = _statement(context, found)
        result = context.dispatcher.dispatch(
            command, name_uuid(claimed.effect_id, claimed.attempts)
        )
    except UNREADABLE as error:
        _settle(context, [found], "quarantined", str(error))
        return
    _settle(context, [found], "applied" if result.events else "duplicate", None)


def _statement(context: Context, found: inbox.Notification) -> ImportStatement:
    read = read_statement(found.body, context.settings.house.iban)
    header = read.header
    return ImportStatement(
        by=BANK,
        account=header.iban,
        bank_reference=header.statement_id,
        sequence=header.sequence,
        from_on=header.from_on,
        to_on=header.to_on,
        opening=header.opening,
        closing=header.closing,
        file_hash=found.notification_id,
        entries=tuple(
            StatementLine(
                amount=line.amount,
                booked_on=line.booked_on,
                value_on=line.value_on,
                end_to_end_id=line.end_to_end_id or None,
                bank_reference=line.reference or None,
                counterparty=line.counterparty,
                remittance=line.remittance,
            )
            for line in read.lines()
        ),
    )


def _settle(
    context: Context,
    hints: list[inbox.Notification],
    state: inbox.Settled,
    reason: str | None,
) -> None:
    if hints:
        ids = [one.notification_id for one in hints]
        with context.dispatcher.read() as connection:
            inbox.settle(connection, hints[0].provider, ids, state, reason)
