"""Two languages, chosen per person: the catalogues are complete, the switch works, nothing hostile
chooses a file, numbers and dates stay German, and one and many are told apart."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from babel.messages.catalog import Catalog
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from domain.payments.ports import Unrecognised
from jobs.providers.stripe.translate import read_notification
from tests.messages.refusals import SAMPLES
from tests.messages.test_refusals import refused
from tests.pages import AsRole, PageClient, words
from tests.readmodels.kit import Following, Story
from webapp import languages, texts
from webapp.languages import LANGUAGES
from webapp.models import Audit, Staff, db
from webapp.retold import retold
from webapp.translations import CATALOGUES, SOURCES, collect, problems

NEW_EVENT = b'{"id": "evt_1", "type": "radar.new", "data": {"object": {"id": "pi_1"}}}'
HOSTILE = ["../../../etc/passwd", "de/../en", "xx", "DE", "de\0", "", "%64e", "de_DE", "d" * 3000]


@pytest.fixture(scope="module")
def source() -> Catalog:
    return collect()


def speaking(app: Flask, language: str) -> PageClient:
    """A stranger whose browser asks for that language."""
    client = app.test_client()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = language
    return PageClient(app, client)


def lang(browser: PageClient, path: str = "/login") -> str:
    return str(browser.get(path).one("html").get("lang"))


@pytest.mark.parametrize("language", CATALOGUES)
def test_nothing_is_untranslated_fuzzy_or_obsolete(source: Catalog, language: str) -> None:
    """`python -m webapp.translations` says what to do."""
    assert problems(languages.catalogue(language), source) == []


def test_every_kind_of_text_is_found(source: Catalog) -> None:
    for message in (
        "Log in",  # a template
        "Day",  # N_ in a table
        "This payment does not exist.",  # a refusal of the domain
        "The statement has no balance %(code)s.",  # one of a job
        "The account is closed.",  # a table of the domain
        "Payment of %(amount)s scheduled for %(day)s",  # a sentence
    ):
        assert source.get(message) is not None, message
    plural = source.get("in %(count)s day")
    assert plural is not None
    assert plural.id == ("in %(count)s day", "in %(count)s days")
    assert len(source) > 1000
    assert {folder for folder, _pattern, _how in SOURCES} >= {"domain", "jobs", "webapp"}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("", "without words"),
        ("Zahlung", "other places"),
        ("Zahlung %(summe)s", "other places"),
        ("Zahlung %(amount)d", "other places"),
        (" Zahlung %(amount)s", "other space"),
        ("Zahlung %(amount)s!", "exclamation"),
    ],
)
def test_a_bad_translation_is_found(words: str, complaint: str) -> None:
    made, asked = Catalog(locale="de"), Catalog()
    asked.add("Payment %(amount)s")
    made.add("Payment %(amount)s", words)
    assert complaint in problems(made, asked)[0]
    asked.add("New")
    made.add("Old", "Alt")
    found = problems(made, asked)
    assert "not in the catalogue: New" in found
    assert "no text of the source: Old" in found


def test_two_people_read_two_languages_at_once(as_role: AsRole) -> None:
    mia, jon = as_role("support"), as_role("operations")
    mia.post("/language", {"language": "de", "next": "/account"})
    for _again in range(2):
        german, english = mia.get("/account"), jon.get("/account")
        assert (german.one("html").get("lang"), english.one("html").get("lang")) == ("de", "en")
        assert "Abmelden" in german.text
        assert "Log out" in english.text


def test_the_choice_belongs_to_the_person_and_survives_the_logout(
    app: Flask, as_role: AsRole
) -> None:
    mia = as_role("support")
    assert mia.post("/language", {"language": "de", "next": "/search"}).location == "/search"
    mia.post("/logout")
    # The login page of this browser greets in the language of whoever used it last.
    assert mia.get("/login").h1 == "Anmelden"
    elsewhere = as_role("support")
    assert lang(elsewhere, "/account") == "de"
    with app.app_context():
        assert db.session.scalar(select(Staff.locale).where(Staff.login == "mia")) == "de"
        assert db.session.scalar(select(Staff.locale).where(Staff.login == "jon")) is None


def test_the_account_counts_more_than_the_browser(app: Flask, as_role: AsRole) -> None:
    mia = as_role("support")
    mia.post("/language", {"language": "en"})
    mia.client.set_cookie("language", "de")
    mia.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "de"
    assert lang(mia, "/account") == "en"


@pytest.mark.parametrize(
    ("asked_for", "language"),
    [
        ("de-DE,de;q=0.9,en;q=0.8", "de"),
        ("de-AT", "de"),
        ("en-GB,en;q=0.9,de;q=0.8", "en"),
        ("fr-FR,de;q=0.5", "de"),
        ("fr", "en"),
        ("", "en"),
        ("*", "en"),
        (";;,", "en"),
        ("../../etc/passwd", "en"),
    ],
)
def test_before_the_first_choice_the_browser_is_asked(
    app: Flask, asked_for: str, language: str
) -> None:
    assert lang(speaking(app, asked_for)) == language


@pytest.mark.parametrize("wanted", HOSTILE)
def test_a_hostile_language_changes_nothing(app: Flask, as_role: AsRole, wanted: str) -> None:
    mia = as_role("support")
    mia.post("/language", {"language": wanted, "next": "//evil.example/"})
    assert lang(mia, "/account") == "en"
    mia.client.set_cookie("language", wanted.replace("\0", ""))
    expected = "de" if wanted == "de\0" else "en"
    assert lang(mia, "/account") == expected
    with app.app_context():
        assert db.session.scalar(select(Staff.locale).where(Staff.login == "mia")) is None


def test_the_database_keeps_known_languages_only(app: Flask) -> None:
    with app.app_context(), pytest.raises(IntegrityError, match="staff_locale_known"):
        db.session.execute(text("UPDATE staff SET locale = '../de' WHERE login = 'mia'"))


def test_the_switch_stands_on_the_login_page_and_inside(app: Flask, as_role: AsRole) -> None:
    stranger = speaking(app, "en")
    page = stranger.get("/login")
    buttons = page.select("#language button")
    assert [button.get("value") for button in buttons] == list(LANGUAGES)
    assert [button.get("aria-pressed") for button in buttons] == ["false", "true"]
    token = page.select("#language [name=csrf_token]")[0].get("value")
    stranger.post("/language", {"language": "de", "next": "/login"}, csrf=token)
    assert stranger.get("/login").h1 == "Anmelden"
    stranger.post("/language", {"language": "en"}, csrf="forged", status=400)
    assert as_role("lead").get("/account").select("#language button")


def test_errors_fragments_and_notices_speak_the_readers_language(
    app: Flask, as_role: AsRole
) -> None:
    ben = as_role("admin")
    ben.post("/language", {"language": "de"})
    assert ben.get("/nowhere", status=404).h1 == "Unter dieser Adresse gibt es nichts"
    assert ben.get("/work", status=403).h1 == "Ihre Rolle darf das nicht"
    assert "Abmelden" not in ben.get("/style/dialog", htmx="dialog#dialog").text
    assert "Bemerkung" in ben.get("/style/dialog", htmx="dialog#dialog").text
    assert "Nichts wurde gespeichert" in ben.post("/style/dialog", status=422).text
    refusal = ben.post("/sandbox/clock", {"to": "never"})
    assert "Wählen Sie ein Datum" in words(ben.get(refusal.location).one(".toast"))
    assert ben.post("/logout", csrf="old", status=400).h1.startswith("Dieses Formular ist zu alt")
    with app.app_context():
        # The trail holds what everybody can compare: the message as the source has it.
        reasons = set(db.session.scalars(select(Audit.reason)))
    assert "Choose a date. The Clock stands where it stood." in reasons


def test_money_dates_and_months(app: Flask, as_role: AsRole) -> None:
    with app.app_context():
        story = Story(Following(app.extensions["kontor"]))
    browser = as_role("lead")
    shown = {}
    for language in LANGUAGES:
        browser.post("/language", {"language": language})
        page = browser.get(f"/payments/{story.payment_id}")
        shown[language] = page.text
        times = [element.text for element in page.select("time")]
        assert times
        assert all(re.fullmatch(r"\d\d\.\d\d\.\d{4}( \d\d:\d\d)?", text) for text in times), times
        assert re.fullmatch(
            r"[\d.]+,\d\d\u00a0€", words(page.one(".amount")).replace(" ", "\u00a0")
        )
    assert "Beitrag, Dezember 2026" in shown["de"]
    assert "Premium, December 2026" in shown["en"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_and_many(app: Flask, monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    expected = {
        "en": {0: "in 0 days", 1: "in 1 day", 2: "in 2 days", 5: "in 5 days"},
        "de": {0: "in 0 Tagen", 1: "in 1 Tag", 2: "in 2 Tagen", 5: "in 5 Tagen"},
    }
    with app.test_request_context(headers={"Accept-Language": language}):
        for count, words in expected[language].items():
            assert texts.ngettext("in %(count)s day", "in %(count)s days", count) == words
            assert texts.counted("in %(count)s day", "in %(count)s days", count) == words
        assert "1.000" in texts.ngettext("in %(count)s day", "in %(count)s days", 1000)


@pytest.mark.parametrize("language", CATALOGUES)
def test_every_plural_has_both_forms(language: str) -> None:
    """The forms of a plural differ, or the text says the same of one and of many."""
    same = {
        message.id[0]
        for message in languages.catalogue(language)
        if isinstance(message.id, tuple) and len(set(message.string)) == 1
    }
    invariant = ("Mal ", "Posten", "zurückgegeben", "fehlgeschlagen", "Tg.")
    known = languages.catalogue(language)
    odd = [one for one in same if not any(word in known.get(one).string[0] for word in invariant)]
    assert odd == []


def test_no_count_is_written_without_its_plural(source: Catalog) -> None:
    """`%(count)s things` needs ngettext: one thing is not one things."""
    fixed = {
        "Select at most %(count)s documents at once.",
        "Write at most %(count)s characters.",
        "A name has at most %(count)s characters.",
        "A password has at least %(count)s characters.",
        "A password has at most %(count)s characters.",
        "The file holds %(count)d statements; one at a time.",
        "You keep %(count)s views already. Delete one first.",
        "All %(count)s contracts",
        "%(count)s exports of yours are under way. Wait for one, or cancel one.",
    }
    single = {message.id for message in source if isinstance(message.id, str)}
    found = {one for one in single if re.search(r"%\(count\)[sd] (?:[a-z]+ )?[a-z]+s\b", one)}
    assert found <= fixed


def test_refusals_with_values_are_told_in_german(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "de"}):
        said = {sample.says: texts.sentence(refused(sample)) for sample in SAMPLES}
    assert said["This refund cannot be decided on any more: its state is “approved”."] == (
        "Über diese Erstattung kann nicht mehr entschieden werden: Ihr Status ist „Freigegeben“."
    )
    assert not {english for english, german in said.items() if english == german}


def test_stored_refusals_are_told_again(app: Flask) -> None:
    """Some were written down as English sentences: held statements, parked effects and timers."""
    with app.test_request_context(headers={"Accept-Language": "de"}):
        assert retold("This payment does not exist.") == "Diese Zahlung gibt es nicht."
        assert retold("Refused: The instalment due on 2026-12-01 comes first.") == (
            "Zuerst kommt die Rate, die am 01.12.2026 fällig ist."
        )
        assert retold("12.51 EUR is more than the 12.50 EUR that are open.") == (
            "12,51\u00a0€ sind mehr als die 12,50\u00a0€, die noch offen sind."
        )
        assert retold("The file has more than 10485760 bytes.") == (
            "Die Datei hat mehr als 10485760 Bytes."
        )
        assert retold("'1,2' is no amount.") == "&#39;1,2&#39; ist kein Betrag."
        assert retold("Not understood: <b>odd</b>") == (
            'Nicht verstanden: <span lang="en">&lt;b&gt;odd&lt;/b&gt;</span>'
        )
        new = read_notification(NEW_EVENT)
        assert isinstance(new, Unrecognised)
        stored = f"Not understood: {new.reason}"
        assert retold(stored) == "Nicht verstanden: Ereignisart radar.new ist nicht bekannt"
        assert retold("KeyError at <x>:1") == '<span lang="en">KeyError at &lt;x&gt;:1</span>'
        assert retold(None) == ""
        assert len(retold("x" * 10_000)) < 400


def test_every_refusal_is_recognised_again(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "de"}):
        for sample in SAMPLES:
            assert "lang=" not in retold(sample.says), sample.says


def test_deadlines_count_in_both_languages(app: Flask) -> None:
    today = date(2026, 12, 8)
    shown = {}
    for language in LANGUAGES:
        with app.test_request_context(headers={"Accept-Language": language}):
            days = (0, 1, 2, -1, 100)
            shown[language] = [
                texts.deadline(today + timedelta(days=n), today).striptags().partition(", ")[2]
                for n in days
            ]
    assert shown["en"] == [
        "today",
        "tomorrow",
        "in 2 working days",
        "1 working day late",
        "in 100 days",
    ]
    assert shown["de"] == [
        "heute",
        "morgen",
        "in 2 Bankarbeitstagen",
        "1 Bankarbeitstag überfällig",
        "in 100 Tagen",
    ]
