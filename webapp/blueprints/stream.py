"""The stream of updates: every event with its position, cause and consequences; who reads it and
how far; and what was set aside, with the acts that set it going again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import msgspec
from flask import Blueprint, Response, abort, g, make_response, render_template, request, url_for

from domain import operating
from domain.kernel.message import Refused
from domain.operating import machinery
from domain.operating.watch import EffectSeen
from domain.readmodels import causes
from domain.readmodels.stream import Entry, EventSeen
from webapp import fragments, lists
from webapp.access.audit import audit
from webapp.access.permissions import permitted
from webapp.access.security import allowed
from webapp.format import iban_masked
from webapp.kontor import kontor
from webapp.lists.stream import LIST
from webapp.sentences import Sentence, staff_names, tell, who
from webapp.texts import _, sentence
from webapp.typed import POSITION_MAX, typed

blueprint = Blueprint("stream", __name__, url_prefix="/stream")
TEXT_MAX: Final = 80
IBAN: Final = re.compile(r"\b[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}\b")
MASKED: Final = frozenset({"iban", "account"})
"""Fields of events that hold an account number."""
NAME_MAX: Final = 300
BODY_SHOWN_MAX: Final = 100_000
"""Characters of a raw body on the page; a notification has a few thousand."""


@dataclass(frozen=True, slots=True)
class Line:
    """One event as a row: in words, and with who did it."""

    entry: Entry | EventSeen
    told: Sentence
    who: str


@dataclass(slots=True)
class Node:
    """A line with what it led to, for the tree."""

    line: Line
    effects: list[EffectSeen]
    children: list[Node] = field(default_factory=list)


@blueprint.get("")
@permitted("stream.read")
def index() -> Response:
    asked = lists.asked_for(LIST)
    page, health = lists.look(asked), machinery.look_at_stream(kontor())
    return lists.show(
        "stream/index.html",
        asked,
        page,
        health=health,
        refusals=health.refusals,
        lines=_lines(page.rows, staff_names()),
    )


@blueprint.get("/<int:position>")
@permitted("stream.read")
def show(position: int) -> Response:
    with kontor().read() as connection:
        story = causes.event(connection, min(position, POSITION_MAX))
    if story is None:
        abort(404)
    names = staff_names()
    around = [story.entry, *(branch.entry for branch in story.caused)]
    effects = operating.effects_of(
        kontor(),
        [*dict.fromkeys(one.stream for one in [*around, *story.together])],
        [one.event_id for one in around],
    )
    html = render_template(
        "stream/show.html",
        line=_lines([story.entry], names)[0],
        customer=story.entry.customer_id,
        causes=_lines(story.causes, names),
        together=_lines(story.together, names),
        together_max=causes.TREE_MAX,
        effects=effects.get(story.entry.event_id, []),
        tree=_tree(story, effects, names),
        more=story.more,
        payload=_payload(story.entry),
    )
    return make_response(html)


@blueprint.post("/release-stream")
@permitted("stream.release")
def release_stream() -> Response:
    reader, parked = request.form.get("consumer", ""), request.form.get("stream", "")
    return _act(
        "stream.release",
        parked,
        lambda by: operating.release_stream(kontor(), reader, parked, by),
        _("Released: %(reader)s follows the stream again.", reader=reader),
    )


@blueprint.post("/release-effect")
@permitted("effect.release")
def release_effect() -> Response:
    try:
        effect_id = UUID(request.form.get("effect_id", ""))
    except ValueError:
        abort(404)
    return _act(
        "effect.release",
        operating.effect_subject(effect_id),
        lambda by: operating.release_effect(kontor(), effect_id, by),
        _("Released: a worker takes it up again."),
    )


@blueprint.post("/translate-again")
@permitted("inbox.translate")
def translate_again() -> Response:
    provider = typed(request.form.get("provider"), TEXT_MAX)
    notification_id = typed(request.form.get("id"), NAME_MAX)
    return _act(
        "inbox.translate",
        operating.notification_subject(provider, notification_id),
        lambda by: operating.translate_again(kontor(), provider, notification_id, by),
        _("The notification is read again."),
    )


@blueprint.get("/notifications/<provider>/<path:notification_id>")
@permitted("inbox.read")
def notification(provider: str, notification_id: str) -> Response:
    """The raw body, byte by byte as it came; every look is recorded."""
    if typed(provider, TEXT_MAX) != provider or typed(notification_id, NAME_MAX) != notification_id:
        abort(404)
    found = operating.notification(kontor(), provider, notification_id)
    if found is None:
        abort(404)
    subject = operating.notification_subject(provider, notification_id)
    audit("inbox.body", "allowed", subject, reference=g.reference)
    text = found.body.decode("utf-8", "backslashreplace")
    hidden = bool(IBAN.search(text)) and not allowed("iban.full")
    if hidden:
        text = IBAN.sub(lambda number: iban_masked(number[0]), text)
    elif IBAN.search(text):
        audit("iban.full", "allowed", subject, reference=g.reference)
    return fragments.page_or_dialog(
        "stream/notification.html",
        found=found,
        text=text[:BODY_SHOWN_MAX],
        cut=max(0, len(text) - BODY_SHOWN_MAX),
        hidden=hidden,
        names=sorted(found.headers),
    )


def _act(act: str, subject: str, do: Callable[[str], bool], notice: str) -> Response:
    """Releases something; what is gone already is no mistake of whoever asked."""
    try:
        done = do(f"staff:{g.staff.id}")
    except Refused as error:
        audit(act, "refused", subject, reason=error.message, reference=g.reference)
        return fragments.done(url_for("stream.index"), sentence(error))
    if done:
        audit(act, "allowed", subject, reference=g.reference)
        return fragments.done(url_for("stream.index"), notice)
    gone = _("Nothing was done: somebody else was faster, or it took care of itself.")
    return fragments.done(url_for("stream.index"), gone)


def _lines(entries: Iterable[Entry | EventSeen], names: dict[str, str]) -> list[Line]:
    return [Line(one, tell(one.event), who(one.actor, names)) for one in entries]


def _tree(
    story: causes.Story, effects: dict[str, list[EffectSeen]], names: dict[str, str]
) -> list[Node]:
    """The branches stand in tree order, so the last node of the level above is the parent."""
    top: list[Node] = []
    path: list[Node] = []
    for branch in story.caused:
        found = effects.get(branch.entry.event_id, [])
        node = Node(_lines([branch.entry], names)[0], found)
        del path[branch.depth - 1 :]
        (path[-1].children if path else top).append(node)
        path.append(node)
    return top


def _payload(entry: Entry) -> str:
    """The event as stored, for people: full account numbers stay on the pages that log the look."""
    masked = _mask(msgspec.to_builtins(entry.event))
    return msgspec.json.format(msgspec.json.encode(masked), indent=2).decode()


def _mask(value: object) -> object:
    match value:
        case dict():
            return {
                name: iban_masked(inner)
                if name in MASKED and isinstance(inner, str)
                else _mask(inner)
                for name, inner in value.items()
            }
        case list() | tuple():
            return [_mask(inner) for inner in value]
        case _:
            return value
