"""Every text on every page is wrapped: the whole app is read in a language of wide letters, and no
plain word is left that is not data. Pages are found by following links, as people do."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import flask_admin.babel
import flask_admin.translations
import pytest
from babel.messages.pofile import read_po

from domain.payments.events import Reason
from domain.payments.payment import Status as PaymentStatus
from domain.payments.ports import UnknownReason
from domain.payments.provider_events import Trouble
from domain.payments.refund import Status as RefundStatus
from domain.payments.rules import CODES, REFUND_CODES, UNKNOWN_CODE, UNKNOWN_REFUND_CODE
from domain.registry import EVENTS
from domain.work.events import CaseType
from jobs.effects import HANDLERS
from tests.conftest import clone_of
from tests.messages.refusals import SAMPLES
from tests.messages.test_refusals import refused
from tests.servers import Servers, sandbox_settings
from tests.webapp.pseudo import Data, Pseudo, unwrapped, wide
from tests.webapp.test_sentences import commands, made
from tests.webapp.wide_house import House, crawl, one_browser, open_house, stranger, without_a_link
from webapp import languages
from webapp.access.permissions import MACHINE, Role, act_of
from webapp.exported import LISTED
from webapp.sentences import PAYMENT_STATES, REFUND_STATES, codes, follows, tell
from webapp.sentences.provider import TROUBLES
from webapp.sentences.states import _REASONS
from webapp.sentences.work import CASE_TYPES
from webapp.texts import _, presentable, sentence

RULES = [*CODES.values(), UNKNOWN_CODE, *REFUND_CODES.values(), UNKNOWN_REFUND_CODE]
WORDS = Data(["text", "Text"], ["nowhere"])
"""Of sentences about made-up events, whose texts are all "text"."""
ADMINS_WORDS = "de/LC_MESSAGES/admin.po"
NO_PAGES = {"static", "exports.file", "sandbox.clock"}
"""Files, and a panel that exists only while the Clock moves."""
PAGES_OF_ONE_KIND = 3
"""Pages of one address rule that are looked at; the demo insurer has hundreds of payments."""


@pytest.fixture(scope="module")
def house(
    servers: Servers, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    with clone_of(servers, template_database) as url:
        settings = sandbox_settings(servers, url, tmp_path_factory.mktemp("pseudo"))
        with open_house(settings) as opened:
            yield opened


@pytest.fixture(scope="module", autouse=True)
def _wide_letters() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        _write_wide(patched)
        yield


def _write_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    pseudo = Pseudo(languages.catalogue("de"))
    monkeypatch.setattr(languages, "translations", lambda _language: pseudo)
    # Flask-Admin has a catalogue of its own.
    with (Path(flask_admin.translations.__file__).parent / ADMINS_WORDS).open("rb") as file:
        admin = Pseudo(read_po(file))
    monkeypatch.setattr(flask_admin.babel.domain, "get_translations", lambda: admin)


@pytest.fixture(scope="module")
def read(house: House) -> dict[str, list[str]]:
    """Everything that people of these roles reach by links, with what is in plain letters there."""
    pages = {"lead": PAGES_OF_ONE_KIND, "admin": 2, "finance": 1, "support": 1}
    found = {}
    for role, limit in pages.items():
        for path, left in crawl(house, role, limit).items():
            found[f"{role} {path}"] = left
    for endpoint, page in without_a_link(house).items():
        house.visited[endpoint] += 1
        if left := unwrapped(page, house.data):
            found[endpoint] = left
    return found


def test_every_page_is_wrapped(read: dict[str, list[str]]) -> None:
    assert not read, "\n".join(f"{path}: {left}" for path, left in read.items())


@pytest.mark.usefixtures("read")
def test_every_page_was_read(house: House) -> None:
    rules = [rule for rule in house.app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    people = [rule for rule in rules if act_of(house.app, rule.endpoint) != MACHINE]
    pages = {one_browser(rule.endpoint) for rule in people} - NO_PAGES
    assert "\n".join(sorted(pages - set(house.visited))) == ""


def test_a_text_that_nobody_wrapped_is_found(house: House) -> None:
    page = house.browser("lead").client.get("/work").get_data(as_text=True)
    assert unwrapped(page, house.data) == []
    for slip, where in (
        ("<p>Forgotten</p>", "p"),
        ('<p><b title="a forgotten hint">7</b></p>', "b[title]"),
        ('<input type="submit" value="Send it">', "input[value]"),
        ("<p>" + wide("A refund is ") + "rejected</p>", "p"),
    ):
        broken = page.replace("</main>", f"{slip}</main>")
        assert [one.partition(":")[0] for one in unwrapped(broken, house.data)] == [where]


MISTAKES = (
    # Whose, method, address, form, the status it has.
    ("admin", "GET", "/work", {}, 403),
    ("support", "GET", "/staff", {}, 403),
    ("lead", "GET", "/nowhere", {}, 404),
    ("lead", "POST", "/search", {}, 405),
    ("lead", "POST", "/logout", {"csrf_token": "old"}, 400),
    ("lead", "GET", "/payments?amount=1.234&from=never&status=rf_1", {}, 422),
    ("lead", "GET", "/invoices?amount=-1&kind=odd", {}, 422),
    ("lead", "POST", "{case}/note", {"note": ""}, 422),
    ("lead", "POST", "{case}/note", {"note": "7" * 2001}, 422),
    ("lead", "POST", "{case}/snooze", {"until": "never"}, 422),
    ("lead", "POST", "{case}/snooze", {"until": "2020-01-01"}, 422),
    ("lead", "POST", "{case}/close", {"remark": " "}, 422),
    ("lead", "POST", "/work/bulk", {"act": "take"}, 200),
    ("lead", "POST", "/sandbox/faults", {"fail-debits-count": "many"}, 422),
    ("finance", "POST", "/statements/upload", {}, 422),
    ("nobody", "GET", "/login", {}, 200),
    ("nobody", "POST", "/login", {"login": "", "password": ""}, 422),
    ("nobody", "POST", "/login", {"login": "mia", "password": "wrong"}, 422),
    ("nobody", "GET", "/nowhere", {}, 404),
)


@pytest.mark.parametrize(
    ("role", "method", "path", "form", "status"), MISTAKES, ids=lambda value: str(value)[:30]
)
@pytest.mark.parametrize("htmx", [False, True], ids=["page", "htmx"])
def test_every_answer_to_a_mistake_is_wrapped(
    house: House, role: str, method: str, path: str, form: dict[str, str], status: int, htmx: bool
) -> None:
    browser = stranger(house) if role == "nobody" else house.browser(role)
    headers = {}
    if htmx:
        headers = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "dialog#dialog"}
    address = path.format(case=house.case())
    sent = {"csrf_token": browser.csrf, **form} if method == "POST" else None
    answer = browser.client.open(address, method=method, data=sent, headers=headers)
    assert answer.status_code == status
    html = answer.get_data(as_text=True)
    assert not unwrapped(html if html.strip() else "<p></p>", house.data)


def test_every_event_and_what_follows_is_wrapped(house: House) -> None:
    with house.app.test_request_context():
        said = [tell(made(kind)).text for kind in EVENTS]
        said += [text for kind in commands() for text in follows([made(kind)])]
        said += [text for rule in RULES for text in (_(rule.meaning), _(rule.what_to_do))]
        said += [sentence(refused(sample)) for sample in SAMPLES]
    assert {text: left for text in said if (left := WORDS.left(text))} == {}


def test_every_code_has_words(house: House) -> None:
    """A value of a table that is shown as it is stored is English for everybody."""
    kinds = (Role, UnknownReason, PaymentStatus, RefundStatus, Reason, CaseType, Trouble)
    tables = (codes.ROLES, codes.NO_ANSWER, PAYMENT_STATES, REFUND_STATES, _REASONS, CASE_TYPES)
    for kind, table in zip(kinds, (*tables, TROUBLES), strict=True):
        assert {value for value in kind if value != "nothing"} <= set(table), kind
    assert set(codes.EFFECT_KINDS) == set(HANDLERS)
    with house.app.test_request_context():
        for sample in SAMPLES:
            for name, value in refused(sample).values.items():
                assert not isinstance(presentable(name, value), Enum), name


def test_whatever_a_list_exports_has_words(house: House) -> None:
    with house.app.test_request_context():
        heads = {
            text: name
            for name, listed in LISTED.items()
            if not name.startswith("data")
            for text in (listed.title(), *(words() for words in listed.head.values()))
        }
    assert {text: name for text, name in heads.items() if house.data.left(text)} == {}
