"""Translating what came in: a provider's hint makes us fetch its object once for all waiting hints;
a bank file is checked whole and imported by one command."""

import msgspec

from domain.kernel.ids import MalformedId, name_uuid
from domain.kernel.message import Refused
from domain.kernel.transitions import Impossible
from domain.payments.ports import Hint, Ignored, Unrecognised
from domain.payments.refund import Refund
from domain.payments.settlement_commands import ImportStatement, StatementLine
from domain.payments.updates import commands_for
from domain.stream import effects, inbox
from domain.stream.effects import Claimed
from jobs.context import Context
from jobs.providers.stripe import translate as stripe
from jobs.runs.camt import StatementRefused
from jobs.runs.statement import read_statement

BANK = "bank"
_ASK = "ask-"
"""Our own questions stand in the inbox beside the provider's hints (`Dispatcher.ask_again`)."""


class _Asked(msgspec.Struct):
    ask: str


def translate(context: Context, claimed: Claimed) -> None:
    payload = claimed.effect.payload
    with context.dispatcher.read() as connection:
        found = inbox.load_notification(connection, payload["provider"], payload["notification_id"])
    if found is not None and found.state == "waiting":
        try:
            if found.provider == BANK:
                _import_statement(context, claimed, found)
            else:
                _apply_hint(context, claimed, found)
        except (Refused, MalformedId, Impossible, StatementRefused) as error:
            _settle(context, found.provider, [found.notification_id], "quarantined", str(error))
    with context.dispatcher.read() as connection:
        effects.finish(connection, claimed.then("done"))


def _apply_hint(context: Context, claimed: Claimed, found: inbox.Notification) -> None:
    hint = _read(found)
    if isinstance(hint, Ignored):
        _settle(context, found.provider, [found.notification_id], "ignored", hint.reason)
        return
    if isinstance(hint, Unrecognised):
        raise Refused("Not understood: %(reason)s", reason=hint.reason)
    with context.dispatcher.read() as connection:
        # Hints that came before the fetch are answered by it; later ones fetch again.
        waiting = inbox.waiting_for_object(connection, found.provider, hint.object_id)
    update = context.stripe.fetch(hint.kind, hint.object_id)
    if isinstance(update, Ignored):
        _settle(context, found.provider, [found.notification_id], "ignored", update.reason)
        return

    def payment_of(refund_id: str) -> str:
        refund = context.dispatcher.state(refund_id)
        if not isinstance(refund, Refund) or refund.requested is None:
            raise Refused("%(refund)s is not a refund of ours.", refund=refund_id)
        return refund.requested.payment_id

    recorded = 0
    for n, command in enumerate(commands_for(found.provider, update, payment_of)):
        command_id = name_uuid(claimed.effect_id, claimed.attempts, "apply", n)
        recorded += len(context.dispatcher.dispatch(command, command_id).events)
    others = [
        one.notification_id for one in waiting if one.notification_id != found.notification_id
    ]
    state: inbox.Settled = "applied" if recorded else "duplicate"
    _settle(context, found.provider, [found.notification_id], state, None)
    _settle(context, found.provider, others, "applied", f"with {found.notification_id}")


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
    read = read_statement(found.body, context.settings.house.iban)
    header = read.header
    command = ImportStatement(
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
    result = context.dispatcher.dispatch(command, name_uuid(claimed.effect_id, claimed.attempts))
    state: inbox.Settled = "applied" if result.events else "duplicate"
    _settle(context, found.provider, [found.notification_id], state, None)


def _settle(
    context: Context, provider: str, ids: list[str], state: inbox.Settled, reason: str | None
) -> None:
    with context.dispatcher.read() as connection:
        inbox.settle(connection, provider, ids, state, reason)
