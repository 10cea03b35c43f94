"""Work: what needs a person, most urgent first, and what people do about it. Decisions on refunds
are taken on the refund's own routes; a case closes itself when its reason is gone."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Final
from uuid import uuid4

import msgspec
from flask import Blueprint, Response, abort, g, make_response, render_template, request, url_for

from domain.kernel.ids import MalformedId, name_uuid, read_id
from domain.kernel.message import Refused
from domain.payments.events import Reason
from domain.payments.rules import REASONS
from domain.readmodels import work_queries
from domain.readmodels.lists import PAGE, Page
from domain.readmodels.stream import Entry, cut, timeline
from domain.readmodels.work import CaseRow
from domain.readmodels.work_queries import Detail, Overview
from domain.recording import Result
from domain.work.commands import CloseCase, NoteCase, SnoozeCase, TakeCase
from domain.work.events import CaseType
from webapp import errors, fragments, lists
from webapp.access import security
from webapp.access.permissions import permitted
from webapp.cards import card_problem
from webapp.commands import command_id, notice, send
from webapp.format import parse_day
from webapp.kontor import kontor
from webapp.lists.work import LIST, TABS, actor, columns, current_tab
from webapp.sentences import ECHOES, reason_effect, reason_name, staff_names, tell, who
from webapp.showing import asking, proposals
from webapp.texts import _, sentence

blueprint = Blueprint("work", __name__, url_prefix="/work")
BULK_MAX: Final = PAGE
TEXT_MAX: Final = 2_000
"""A note is a few sentences; whoever pastes a mail is asked to shorten it."""


@blueprint.get("")
@permitted("case.read")
def index() -> Response:
    """The list; htmx asks every four seconds and gets 304 while nothing changed."""
    asked = lists.asked_for(LIST)
    tab = current_tab(asked)
    page = lists.look(asked)
    with kontor().read() as connection:
        counts = work_queries.overview(connection, actor(), security.today())
    g.cases_waiting = counts.all
    version = _version(counts, page)
    if fragments.wants_fragment() and request.args.get(lists.POLL) == version:
        return make_response("", 304)
    place = {lists.PLACE: request.args.get(lists.PLACE)}
    return lists.show(
        "work/index.html",
        asked,
        page,
        tab=tab,
        tabs=[(key, words(), getattr(counts, key)) for key, words in TABS.items()],
        counts=counts,
        columns=columns(tab),
        cases=[(case, proposals.act(case)) for case in page.rows],
        poll_url=asked.url(**place, **{lists.POLL: version}),
        command_id=uuid4(),
        **_words(),
    )


@blueprint.get("/<case_id>")
@permitted("case.read")
def detail(case_id: str) -> Response:
    with kontor().read() as connection:
        found = work_queries.detail(connection, case_id)
        if found is None:
            abort(404)
        streams = {found.case.case_id, found.case.subject, found.case.payment_id}
        entries = timeline(connection, sorted(s for s in streams if s))
    return make_response(
        render_template(
            "work/detail.html",
            found=found,
            case=found.case,
            act=proposals.act(found.case),
            entries=[(entry, tell(entry.event)) for entry in entries if not _echo(found, entry)],
            cut=cut(entries),
            reason=_reason(found),
            asking=_asking(found),
            command_id=uuid4(),
            tomorrow=security.today() + timedelta(days=1),
            **_words(),
        )
    )


@blueprint.post("/<case_id>/take")
@permitted("case.act")
def take(case_id: str) -> Response:
    return _act(TakeCase(by=actor(), case_id=case_id), _("The case is yours."))


@blueprint.get("/<case_id>/snooze")
@permitted("case.act")
def ask_snooze(case_id: str) -> Response:
    day = security.today() + timedelta(days=1)
    return _form("work/snooze.html", case_id, typed={"until": day.isoformat()})


@blueprint.post("/<case_id>/snooze")
@permitted("case.act")
def snooze(case_id: str) -> Response:
    typed = {"until": request.form.get("until", "")}
    try:
        until = parse_day(typed["until"])
    except Refused as refused:
        wrong = {"until": sentence(refused)}
        return _form("work/snooze.html", case_id, typed=typed, wrong=wrong)
    command = SnoozeCase(by=actor(), case_id=case_id, until=until)
    return _act(command, _("The case is put off."), "work/snooze.html", typed)


@blueprint.get("/<case_id>/note")
@permitted("case.act")
def ask_note(case_id: str) -> Response:
    return _form("work/note.html", case_id, typed={})


@blueprint.post("/<case_id>/note")
@permitted("case.act")
def note(case_id: str) -> Response:
    typed = {"note": request.form.get("note", "")}
    if wrong := _wrong("note", typed["note"]):
        return _form("work/note.html", case_id, typed=typed, wrong=wrong)
    command = NoteCase(by=actor(), case_id=case_id, note=typed["note"])
    return _act(command, _("The note is added."), "work/note.html", typed)


@blueprint.get("/<case_id>/close")
@permitted("case.act")
def ask_close(case_id: str) -> Response:
    return _form("work/close.html", case_id, typed={})


@blueprint.post("/<case_id>/close")
@permitted("case.act")
def close(case_id: str) -> Response:
    typed = {"remark": request.form.get("remark", "")}
    if wrong := _wrong("remark", typed["remark"]):
        return _form("work/close.html", case_id, typed=typed, wrong=wrong)
    remark = typed["remark"].strip()
    command = CloseCase(by=actor(), case_id=case_id, how="remark", remark=remark)
    return _act(command, _("The case is closed."), "work/close.html", typed)


@blueprint.post("/bulk")
@permitted("case.act")
def bulk() -> Response:
    """Each row for itself: what one case refuses does not stop the others."""
    chosen = list(dict.fromkeys(request.form.getlist("id")))[:BULK_MAX]
    form_id = command_id(request.form.get("command_id"))
    taking = request.form.get("act") == "take"
    tomorrow = security.today() + timedelta(days=1)
    with kontor().read() as connection:
        cases = work_queries.chosen(connection, chosen)
    results, last = [], Result(command_id=form_id)
    for case in cases:
        command: TakeCase | SnoozeCase = TakeCase(by=actor(), case_id=case.case_id)
        if not taking:
            command = SnoozeCase(by=actor(), case_id=case.case_id, until=tomorrow)
        one_id, why_not = name_uuid(form_id, taking, case.case_id), ""
        try:
            last = send(command, one_id, act="case.act", subject=case.case_id)
        except Refused as refused:
            why_not = sentence(refused)
        results.append((case, why_not))
    return fragments.page_or_dialog(
        "work/bulk.html",
        results=results,
        taking=taking,
        visible=kontor().wait_visible(last),
        told=proposals.told,
        chip_of=proposals.chip,
    )


def _act(
    command: TakeCase | SnoozeCase | NoteCase | CloseCase,
    said: str,
    template: str = "",
    typed: dict[str, str] | None = None,
) -> Response:
    """Records it and goes back to the case; a refusal stands in the form it came from."""
    case_id = command.case_id
    try:
        read_id(case_id, "cs")
        one_id = command_id(request.form.get("command_id"))
        result = send(command, one_id, act="case.act", subject=case_id)
    except MalformedId:
        abort(404)
    except Refused as refused:
        if not template:
            sorry = errors.Sorry(_("This is not possible now"), sentence(refused))
            return errors.page(422, sorry)
        return _form(template, case_id, typed=typed or {}, refusal=sentence(refused))
    return fragments.done(url_for("work.detail", case_id=case_id), notice(result, said))


def _form(
    template: str,
    case_id: str,
    *,
    typed: dict[str, str],
    wrong: dict[str, str] | None = None,
    refusal: str = "",
) -> Response:
    """A dialog or its page; with a mistake or a refusal what was typed stays."""
    with kontor().read() as connection:
        found = work_queries.detail(connection, case_id)
    if found is None:
        abort(404)
    return fragments.page_or_dialog(
        template,
        422 if wrong or refusal else 200,
        case=found.case,
        typed=typed,
        errors=wrong or {},
        refusal=refusal,
        told=proposals.told,
        may_close=proposals.may_close,
        command_id=command_id(request.form.get("command_id")),
        tomorrow=security.today() + timedelta(days=1),
        text_max=TEXT_MAX,
    )


def _words() -> dict[str, object]:
    """What the templates need to turn rows into words."""
    names = staff_names()
    return {
        "told": proposals.told,
        "chip_of": proposals.chip,
        "advice": proposals.advice,
        "may_close": proposals.may_close,
        "check_url": proposals.check_url,
        "subject_url": proposals.subject_url,
        "address": proposals.address,
        "me": actor(),
        "today": security.today(),
        "who": lambda actor: who(actor, names),
    }


def _echo(found: Detail, entry: Entry) -> bool:
    """What the payment's stream repeats of its refund."""
    return found.case.refund_id is not None and type(entry.event) in ECHOES


def _reason(found: Detail) -> tuple[str, str] | None:
    """The reason of a request and what it does."""
    if found.request is None or found.request.reason not in REASONS:
        return None
    reason = Reason(found.request.reason)
    return reason_name(reason), reason_effect(reason)


def _asking(found: Detail) -> list[str]:
    """What is known about the asking, for a case whose outcome is unknown."""
    if found.case.case_type != CaseType.OUTCOME_UNRESOLVED:
        return []
    return asking.told(found.asking, found.case.subject)


def _version(counts: Overview, page: Page[CaseRow]) -> str:
    """Changes when the list does. The count of events is left out: it moves all day, and what
    somebody has marked in the list would go with every step."""
    still = msgspec.structs.replace(counts, by_itself=0)
    seen = msgspec.json.encode((still, page, security.today()))
    return hashlib.sha256(seen).hexdigest()[:16]


def _wrong(field: str, text: str) -> dict[str, str]:
    if problem := card_problem(text):
        return {field: problem}
    if len(text) <= TEXT_MAX:
        return {}
    return {field: _("Write at most %(count)s characters.", count=TEXT_MAX)}
