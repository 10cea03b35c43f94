"""The demo insurer passes every check, and each check turns red when its promise is broken by hand.
What no check notices is a way to tamper unseen."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from config import ROOT, Settings
from domain.operating import raise_cases
from domain.stream import clock, effects
from domain.stream.database import Connection, connect
from domain.work.commands import NoteCase
from jobs import effects as work
from jobs.check import __main__ as check
from jobs.check import privacy
from jobs.check.__main__ import run_checks
from jobs.check.broken import Broken
from jobs.context import open_context
from jobs.control import Control
from jobs.demo.__main__ import load
from jobs.demo.past import NOW
from jobs.follow import Follower
from tests.journeys.world import _wait_for
from tests.servers import Servers, administer, environment, sandbox_settings

TEMPLATE = "kontor_demo_template"


@pytest.fixture(scope="module")
def demo(
    servers: Servers, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """A database with the demo insurer, two rendered documents, a beating ticker and every case."""
    copy = sql.SQL("create database {} template {} strategy file_copy")
    administer(servers, copy.format(sql.Identifier(TEMPLATE), sql.Identifier(template_database)))
    folder = tmp_path_factory.mktemp("demo")
    settings = sandbox_settings(servers, servers.database(TEMPLATE), folder)
    simulator = subprocess.Popen(
        [sys.executable, "-m", "jobs.providers.stripe.simulator"],
        cwd=ROOT,
        env={**os.environ, **environment(settings)},
    )
    context = open_context(settings)
    try:
        control = Control(settings.simulator_control)
        _wait_for(control)
        assert load(context, control)
        _finish(context)
    finally:
        simulator.terminate()
        simulator.wait(10)
        context.dispatcher.database.close()
    return settings


def _finish(context) -> None:  # type: ignore[no-untyped-def]
    """What the running processes do in the first minute; most documents stay to be rendered."""
    follower = Follower(context.dispatcher)
    with context.dispatcher.read() as connection:
        due = effects.due(connection, NOW, 500)
        kinds = dict(connection.execute("SELECT effect_id, kind FROM effect").fetchall())
    rendered = 0
    for one in due:
        rendered += kinds[one.effect_id] == "render"
        if kinds[one.effect_id] != "render" or rendered <= 2:
            work.carry_out(context, one.effect_id)
    raise_cases(context.dispatcher)
    follower.catch_up()
    with context.dispatcher.read() as connection:
        clock.beat(connection, "ticker")


@pytest.fixture
def tampered(servers: Servers, demo: Settings) -> Iterator[Settings]:
    name = sql.Identifier("kontor_tampered")
    copy = sql.SQL("create database {} template {} strategy file_copy")
    administer(servers, copy.format(name, sql.Identifier(TEMPLATE)))
    try:
        yield replace(demo, database_url=servers.database("kontor_tampered"))
    finally:
        administer(servers, sql.SQL("drop database {} with (force)").format(name))


def all_broken(settings: Settings) -> list[Broken]:
    return [one for _, _, broken, _ in run_checks(settings) for one in broken]


REBUILD = "15"
"""The one question that takes long; only what a reader shows differs from its rebuild."""


def test_the_demo_insurer_holds_every_promise(demo: Settings) -> None:
    assert all_broken(demo) == []


TAMPERING: dict[str, tuple[str, str]] = {
    "a balance that lost a cent": (
        "2",
        "UPDATE read.contract SET paid = paid - 1 WHERE contract_id = (SELECT min(contract_id)"
        " FROM read.contract WHERE paid > 0)",
    ),
    "a customer who was billed something else": (
        "2",
        "UPDATE read.customer SET billed = billed + 1, due = due + 1 WHERE customer_id ="
        " (SELECT min(customer_id) FROM read.customer)",
    ),
    "a reservation larger than the payment": (
        "4",
        "UPDATE event SET data = jsonb_set(data, '{amount}', '9999900')"
        " WHERE type = 'refund-reserved'",
    ),
    "a recovery of another amount": (
        "4",
        "UPDATE event SET data = jsonb_set(data, '{amount}', '1') WHERE type = 'recovery-opened'",
    ),
    "a lost first version": (
        "12",
        "DELETE FROM event WHERE type = 'payment-scheduled'",
    ),
    "an event that no reader will see": (
        "13",
        "DELETE FROM feed WHERE feed_position = (SELECT last FROM feed_state)",
    ),
    "a reader that forgot a row": (
        "13",
        "DELETE FROM read.stream_event WHERE feed_position = 7",
    ),
    "a flow command that was never sent": (
        "13",
        "DELETE FROM command_log WHERE command_id = (SELECT command_id FROM event"
        " WHERE type = 'receipt-applied' LIMIT 1)",
    ),
    "two events of a stream turned round": (
        "13",
        "CREATE TEMP TABLE pair AS SELECT a.feed_position AS one, b.feed_position AS two,"
        " a.shard, a.stream_id FROM feed a JOIN feed b USING (shard, stream_id)"
        " WHERE a.version = 1 AND b.version = 2 LIMIT 1;"
        " DELETE FROM feed USING pair WHERE feed_position IN (pair.one, pair.two);"
        " INSERT INTO feed SELECT one, shard, stream_id, 2 FROM pair;"
        " INSERT INTO feed SELECT two, shard, stream_id, 1 FROM pair",
    ),
    "a cursor past the end": (
        "14",
        "UPDATE consumer SET cursor = cursor + 1000 WHERE name = 'search'",
    ),
    "a changed row on a screen": (
        "15",
        "UPDATE read.payment SET amount = amount + 1"
        " WHERE payment_id = (SELECT min(payment_id) FROM read.payment)",
    ),
    "a notification changed by a byte": (
        "20",
        "UPDATE inbox SET body = set_byte(body, 20, get_byte(body, 20) # 1)"
        " WHERE notification_id = (SELECT min(notification_id) FROM inbox)",
    ),
    "a notification that nobody will read": (
        "20",
        "UPDATE inbox SET state = 'waiting', settled_at = NULL WHERE state = 'applied'",
    ),
    "a number left out": (
        "25",
        "UPDATE number_series SET last = last + 1 WHERE series LIKE 'B2C%'",
    ),
    "an invoice with another line": (
        "25",
        "UPDATE event SET data = jsonb_set(data, '{lines,0,net}', '1')"
        " WHERE type = 'invoice-issued'",
    ),
    "a document that nobody will render": (
        "25",
        "DELETE FROM effect WHERE kind = 'render' AND status = 'waiting'",
    ),
    "a lost PDF": ("25", "DELETE FROM document_file"),
    "another hash on record": (
        "26",
        "UPDATE event SET data = jsonb_set(data, '{sha256}', to_jsonb(repeat('0', 64)))"
        " WHERE type = 'document-rendered'",
    ),
    "a PDF changed by a byte": (
        "26",
        "UPDATE document_file SET body = set_byte(body, 99, get_byte(body, 99) # 1)",
    ),
    "an approval by the requester": (
        "28",
        "UPDATE event SET data = data || jsonb_build_object('rule_version', NULL, 'role', 'lead',"
        " 'approved_by', 'staff:stf_mia') WHERE type = 'refund-approved'",
    ),
    "another amount approved": (
        "28",
        "UPDATE event SET data = jsonb_set(data, '{amount}', '99') WHERE type = 'refund-approved'",
    ),
    "another content sent": (
        "28",
        "UPDATE event SET data = jsonb_set(data, '{content_hash}', '\"other\"')"
        " WHERE type = 'refund-submitted'",
    ),
    "an effect that was rung and forgotten": (
        "34",
        "UPDATE effect SET first_rung_at = clock_timestamp() - interval '1 hour', not_before = NULL"
        " WHERE status = 'waiting'",
    ),
    "a lease that ran out long ago": (
        "34",
        "UPDATE effect SET status = 'leased', lease_token = gen_random_uuid(),"
        " lease_until = clock_timestamp() - interval '1 hour' WHERE status = 'waiting'",
    ),
    "something parked that nobody was told of": (
        "34",
        "UPDATE effect SET status = 'parked', error = 'x',"
        " parked_at = clock_timestamp() - interval '1 hour' WHERE status = 'done'",
    ),
    "a notification set aside that nobody was told of": (
        "20",
        "UPDATE inbox SET state = 'quarantined', reason = 'x',"
        " settled_at = clock_timestamp() - interval '1 hour' WHERE state = 'applied'",
    ),
    "a name in clear": (
        "personal data",
        'UPDATE effect SET payload = payload || \'{"for": "Nadia Brandt"}\''
        " WHERE kind = 'render'",
    ),
}
NOTE = 'Ruft morgen an:\n"zwischen 9 und 10"'
PLACES = {
    "effect.payload": "UPDATE effect SET payload = payload || jsonb_build_object('for', %s::text)",
    "event.data": "UPDATE event SET data = data || jsonb_build_object('for', %s::text)",
    "command_log.result": "UPDATE command_log SET result = to_jsonb(%s::text)",
    "inbox.reason": "UPDATE inbox SET reason = 'about ' || %s",
    "effect.error": "UPDATE effect SET error = %s",
}
CLEAR = {
    "a street": ("effect.error", "sent to Große Elbstraße 1, as always"),
    "an e-mail address": ("inbox.reason", "kunde7@example.com"),
    "a postcode with its city": ("event.data", "22767 Hamburg"),
    "a postcode as a value": ("effect.payload", "22767"),
    "an IBAN": ("command_log.result", "DE92200700000000000000"),
    "an IBAN in fours": ("effect.payload", "DE92 2007 0000 0000 0000 00"),
    "a refund's note": ("event.data", "Haushalt aufgelöst zum 31.10."),
    "a note at a case": ("command_log.result", NOTE),
    "who paid, on a statement": ("inbox.reason", "Kerstin Vogel"),
    "what a statement says": ("effect.payload", ""),
}


@pytest.mark.parametrize("tampering", TAMPERING)
def test_tampering_turns_its_check_red(
    tampered: Settings, tampering: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    invariant, statement = TAMPERING[tampering]
    if " read." not in statement:
        monkeypatch.setattr(check, "CHECKS", [one for one in check.CHECKS if one[0] != REBUILD])
    with psycopg.connect(tampered.database_url, autocommit=True) as connection:
        connection.execute(statement.encode())
    broken = all_broken(tampered)
    assert invariant in {one.invariant for one in broken}, broken


def test_every_kind_of_personal_datum_is_found_in_every_kind_of_place(tampered: Settings) -> None:
    context = open_context(tampered)
    try:
        with context.dispatcher.read() as connection:
            ((case, remittance),) = connection.execute(
                "SELECT (SELECT min(case_id) FROM read.work_case), (SELECT min(remittance)"
                " FROM read.settlement_line WHERE remittance LIKE 'STRIPE %')"
            ).fetchall()
        context.dispatcher.dispatch(NoteCase(by="staff:stf_mia", case_id=case, note=NOTE), uuid4())
    finally:
        context.dispatcher.database.close()
    with connect(tampered.database_url, tampered.kek) as connection:
        for kind, (place, clear) in CLEAR.items():
            with connection.transaction(force_rollback=True):
                connection.execute(PLACES[place].encode(), (clear or remittance,))
                found = {one.subject for one in privacy.personal_data(connection)}
            assert found == {place}, kind


def test_what_was_set_aside_just_now_has_its_case_in_a_moment(tampered: Settings) -> None:
    with psycopg.connect(tampered.database_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE effect SET status = 'parked', error = 'x', parked_at = clock_timestamp()"
            " WHERE kind = 'render' AND status = 'waiting'"
        )
        connection.execute(
            "UPDATE inbox SET state = 'quarantined', reason = 'x', settled_at = clock_timestamp()"
            " WHERE state = 'applied'"
        )
        clock.beat(connection, "ticker")  # type: ignore[arg-type]  # any connection beats
    assert all_broken(tampered) == []


def test_each_question_sees_one_moment(tampered: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A live database goes on while it is asked."""

    def asked(connection: Connection, _: Settings) -> Iterator[Broken]:
        last = "SELECT sum(last) FROM number_series"
        before = connection.execute(last).fetchall()
        with psycopg.connect(tampered.database_url, autocommit=True) as meanwhile:
            meanwhile.execute("UPDATE number_series SET last = last + 1")
        if connection.execute(last).fetchall() != before:
            yield Broken(invariant="-", subject="-", what="it saw two moments")

    monkeypatch.setattr(check, "CHECKS", (("-", "one moment", asked),))
    assert all_broken(tampered) == []


def test_the_command_names_what_is_broken_and_exits_1(tampered: Settings, tmp_path: Path) -> None:
    with psycopg.connect(tampered.database_url, autocommit=True) as connection:
        connection.execute("UPDATE number_series SET last = last + 1")
    answer = subprocess.run(
        [sys.executable, "-m", "jobs.check"],
        cwd=ROOT,
        env={**os.environ, **environment(tampered)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert "B2C-2026" in answer.stdout
