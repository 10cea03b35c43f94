"""Translating what came in: the object that hints name is fetched once for all that wait; a bank
file is checked whole and imported by one command."""

import msgspec

from domain import telling
from domain.kernel.ids import MalformedId, name_uuid
from domain.kernel.message import Refused
from domain.kernel.transitions import Impossible
from domain.observing.errors import kept
from domain.operating.watch import quarantined
from domain.payments.hints import ASKED
from domain.payments.ports import Hint, Ignored, ProviderUpdate, Unrecognised
from domain.payments.refund import Refund
from domain.payments.settlement_commands import ImportStatement, StatementLine
from domain.payments.updates import commands_for
from domain.stream import effects, inbox
from domain.stream.database import Connection
from domain.stream.effects import Claimed
from domain.stream.entries import is_entry
from jobs.context import Context
from jobs.providers.stripe import translate as stripe
from jobs.runs.camt import StatementRefused
from jobs.runs.statement import read_statement

BANK = "bank"
ORDERS = ("submit_payment", "submit_refund")
UNREADABLE = (Refused, MalformedId, Impossible, StatementRefused, msgspec.MsgspecError)
"""News that fits nothing we know: a person looks."""


class TooEarly(Exception):
    """News about an order whose worker has not recorded what it knows: it fits in a moment."""


def translate(context: Context, claimed: Claimed) -> None:
    payload = claimed.effect.payload
    with context.dispatcher.read() as connection:
        # Hints that came before this moment are answered by one fetch; later ones fetch again.
        waiting = _waiting(connection, payload)
    for found in waiting[:1]:
        telling.notification(context.dispatcher.database, found.provider, found.body)
    if payload["provider"] == BANK:
        _import_statements(context, claimed, waiting)
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
                raise TooEarly(kept(error)) from error
            _settle(context, hints, "quarantined", kept(error))
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
    if asked := found.headers.get(ASKED):
        return Hint(
            event_id=found.notification_id,
            event_type="asked",
            kind=asked,
            object_id=found.object_id or "",
        )
    return stripe.read_notification(found.body)


def _import_statements(
    context: Context, claimed: Claimed, waiting: list[inbox.Notification]
) -> None:
    """In the order of their days, which is not the order in which files arrive. Held = quarantined
    with its reason; nothing of it is recorded."""
    ready: list[tuple[ImportStatement, inbox.Notification]] = []
    for found in waiting:
        try:
            ready.append((_statement(context, found), found))
        except UNREADABLE as error:
            _settle(context, [found], "quarantined", kept(error))
    ready.sort(key=lambda one: (one[0].from_on, one[0].to_on, one[0].sequence))
    for command, found in ready:
        _import(context, claimed, command, found)


def _import(
    context: Context, claimed: Claimed, command: ImportStatement, found: inbox.Notification
) -> None:
    try:
        command_id = name_uuid(claimed.token, "import", found.notification_id)
        result = context.dispatcher.dispatch(command, command_id)
    except UNREADABLE as error:
        _settle(context, [found], "quarantined", kept(error))
        return
    _settle(context, [found], "applied" if result.events else "duplicate", None)
    if result.events:
        _read_followers(context, command)


def _read_followers(context: Context, before: ImportStatement) -> None:
    """Files come in any order: one that was held because this one was missing is read again."""
    with context.dispatcher.read() as connection:
        for held in quarantined(connection, BANK):
            found = inbox.load_notification(connection, BANK, held.notification_id)
            if found is None or is_entry(found):
                continue
            try:
                header = read_statement(found.body, before.account).header
            except StatementRefused:
                continue  # held for another reason, which stands
            if header.to_on > before.to_on and header.opening == before.closing:
                inbox.retranslate(connection, BANK, held.notification_id)


def _statement(context: Context, found: inbox.Notification) -> ImportStatement:
    if is_entry(found):
        # Nothing came in that could be read again; the folder is looked at all the time.
        raise Refused("It is still in the bank's folder. Take it away, or mend it.")
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
