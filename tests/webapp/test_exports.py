"""Exports: a list as a whole, safe file that a worker writes; asked for, watched, fetched,
cancelled and forgotten by the person who asked, and by nobody else."""

from __future__ import annotations

import csv
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast
from uuid import UUID, uuid4

import pytest

from config import ROOT, Settings
from domain.operating import export_work
from domain.readmodels.exportables import EXPORTABLES
from domain.stream import wake
from jobs.context import Context
from jobs.runs import export, spreadsheet
from tests.pages import Page, PageClient, words
from tests.servers import Servers, environment
from tests.webapp.bulk import many_payments
from tests.webapp.house import House, open_house
from webapp import exported
from webapp.access.permissions import ACTS
from webapp.models import Audit, db

PAYMENTS = "/exports?list=payments"
PATIENCE_S = 30
# A worker that is killed as soon as its first piece is stored.
DOOMED = """
import os, signal, sys
from jobs.runs import export
from jobs.worker import serve
export.CHUNK_CHARS = 10_000
store = export.work.add_chunk
def store_and_die(*values):
    store(*values)
    os.kill(os.getpid(), signal.SIGKILL)
export.work.add_chunk = store_and_die
serve("exports", sys.argv[1])
"""


@pytest.fixture(scope="module")
def open_(
    servers: Servers, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    with open_house(servers, template_database, tmp_path_factory.mktemp("exports")) as opened:
        yield opened


@pytest.fixture
def house(open_: House) -> House:
    """Nobody has exported anything, and one payment is there."""
    open_.sql("DELETE FROM export")
    open_.sql("DELETE FROM read.payment WHERE payment_id LIKE 'pay_0000%'")
    open_.sql("UPDATE staff SET role = 'support' WHERE login = 'mia'")
    return open_


def asked(browser: PageClient, url: str = PAYMENTS) -> str:
    """The address of a new export."""
    return browser.post(url).location


def id_of(url: str) -> UUID:
    return UUID(url.rpartition("/")[2])


def write(house: House, url: str) -> bool:
    return export.carry_out(house.kontor.database, id_of(url))


def table(page: Page) -> list[list[str]]:
    text = page.response.get_data().decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:]), delimiter=";"))


def audited(house: House) -> list[tuple[str, str]]:
    with house.app.app_context():
        return [(row.act, row.outcome) for row in db.session.query(Audit).order_by(Audit.id)]


def test_the_whole_list_comes_as_one_file(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many pages, several pieces, every row once, in the order of the list."""
    monkeypatch.setattr(export, "CHUNK_CHARS", 50_000)
    many_payments(house.kontor, 5_000)
    browser = house.as_role("support")
    url = asked(browser, f"{PAYMENTS}&sort=amount")
    assert "waiting" in browser.get(url).text
    assert write(house, url)
    page = browser.get(url)
    assert "The whole list, 5.001 rows" in page.text
    link = page.one("a[download]")
    answer = browser.get(str(link.get("href")))
    assert answer.response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.response.headers["Content-Length"] == str(len(answer.response.get_data()))
    assert 'filename="payments-' in answer.response.headers["Content-Disposition"]
    head, *rows = table(answer)
    assert head[:3] == ["Payment", "Debit", "Customer"]
    assert len(rows) == len({row[0] for row in rows}) == 5_001
    assert [row[6] for row in rows[:2]] == ["0,01", "0,02"]
    assert rows[0][5] == "Scheduled"
    assert house.sql("SELECT count(*) > 5 FROM export_chunk") == [(True,)]
    assert ("export.request", "allowed") in audited(house)
    assert ("export.download", "allowed") in audited(house)


def test_the_filters_of_the_list_are_those_of_the_file(house: House) -> None:
    many_payments(house.kontor, 30)
    browser = house.as_role("auditor")
    button = browser.get("/payments?amount=0,07").one("form#export")
    url = asked(browser, str(button.get("action")))
    write(house, url)
    _, *rows = table(browser.get(f"{url}/file"))
    assert [row[6] for row in rows] == ["0,07"]
    browser.post(f"{PAYMENTS}&amount=1.234", status=400)
    browser.post(f"{PAYMENTS}&sort=nonsense", status=400)
    browser.post("/exports?list=nothing", status=404)


@pytest.mark.parametrize("protected", [True, False])
def test_no_cell_is_calculated(
    house: House, protected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a customer may be called, in a file as a spreadsheet reads it; and that this test sees
    a formula where nothing stands in its way."""
    if not protected:
        monkeypatch.setattr(spreadsheet, "harmless", str)
    names = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "\u200b=1"]
    names += ["Meyer\n=cmd|' /C calc'!A0", 'x"\r\n@A1', "＝1+1", "\ufeff=1", '";=1', "Smith-=1"]
    for n, name in enumerate(names):
        many = "UPDATE read.payment SET customer = %s WHERE payment_id = %s"
        if not n:
            many_payments(house.kontor, len(names))
        house.sql(many, name, f"pay_{n + 1:026}")
    browser = house.as_role("support")
    url = asked(browser, f"{PAYMENTS}&sort=amount")
    write(house, url)
    _, *rows = table(browser.get(f"{url}/file"))
    live = [row for row in rows if any(_live(cell) for cell in row)]
    assert len(live) == (0 if protected else len(names) - 2)
    assert len(rows) == len(names) + 1
    read = [row[2] for row in rows[: len(names)]]
    assert read[-2:] == names[-2:], "what is harmless stays as it is"


def _live(cell: str) -> bool:
    hidden = " \u00a0\u200b\ufeff\t"
    return any(line.strip(hidden).startswith(tuple("=+-@＝")) for line in cell.splitlines())


def test_nobody_else_gets_at_it(house: House) -> None:
    url = asked(house.as_role("support"))
    write(house, url)
    lead = house.as_role("lead")
    for address in (url, f"{url}/file", f"/exports/{uuid4()}", "/exports/nonsense"):
        lead.get(address, status=404)
    lead.post(f"{url}/cancel", status=404)
    assert "You have not exported anything yet" in lead.get("/exports").text
    assert house.as_role("support").get(f"{url}/file").status == 200


def test_the_permission_of_the_list_is_asked_every_time(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the request, when it is written, and when it is fetched."""
    house.as_role("admin").post(PAYMENTS, status=403)
    browser = house.as_role("support")
    written, waiting = asked(browser), asked(browser)
    write(house, written)
    house.sql("UPDATE staff SET role = 'admin' WHERE login = 'mia'")
    assert write(house, waiting)
    assert "may not read this list" in browser.get(waiting).text
    browser.get(f"{written}/file", status=403)
    assert house.sql("SELECT count(*) FROM export_chunk WHERE export_id = %s", id_of(waiting))
    assert audited(house).count(("payment.read", "denied")) == 2
    assert ACTS["payment.read"].roles


def test_only_so_many_at_once(house: House) -> None:
    browser = house.as_role("support")
    urls = [asked(browser) for _ in range(3)]
    page = browser.post(PAYMENTS, status=422)
    assert "3 exports of yours are under way. Wait for one, or cancel one." in page.text
    assert asked(house.as_role("lead"))
    write(house, urls[0])
    assert asked(browser)


def test_a_cancelled_export_ends_and_leaves_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in the middle: the next piece is refused."""
    monkeypatch.setattr(export, "CHUNK_CHARS", 1)
    many_payments(house.kontor, 20)
    browser = house.as_role("support")
    url = asked(browser)
    store = export_work.add_chunk

    def cancelled_meanwhile(*values: object) -> None:
        store(*values)  # type: ignore[arg-type]  # as they came
        monkeypatch.setattr(export_work, "add_chunk", store)
        browser.post(f"{url}/cancel")

    monkeypatch.setattr(export_work, "add_chunk", cancelled_meanwhile)
    write(house, url)
    page = browser.get(url)
    assert "It was cancelled. Nothing of it is kept." in page.text
    assert house.sql("SELECT count(*) FROM export_chunk") == [(0,)]
    assert house.sql("SELECT asked FROM export") == [(None,)]
    browser.get(f"{url}/file", status=404)
    browser.post(f"{url}/cancel")
    assert "It was over before you cancelled it." in browser.get(url).text
    assert not write(house, url)


def test_a_file_is_gone_after_a_day(house: House) -> None:
    browser = house.as_role("support")
    url = asked(browser)
    write(house, url)
    assert "for 23 more hours" in browser.get("/exports").text
    house.sql("UPDATE export SET ended_at = ended_at - interval '24 hours 1 second'")
    browser.get(f"{url}/file", status=404)
    with house.kontor.read() as connection:
        assert export_work.expire(connection) == 1
        assert export_work.expire(connection) == 0
    assert house.sql("SELECT count(*) FROM export_chunk") == [(0,)]
    assert "The file was deleted after a day" in browser.get(url).text
    assert words(browser.get("/exports").one("tbody .chip")) == "deleted"


def test_a_worker_that_is_killed_offers_no_half_file(house: House) -> None:
    """kill -9 after the first piece; the ticker rings again and the next worker writes it whole."""
    many_payments(house.kontor, 2_000)
    browser = house.as_role("support")
    url = asked(browser)
    redis = wake.open_redis(house.settings.redis_url)
    # What the chore uses of its context.
    context = cast(Context, SimpleNamespace(dispatcher=house.kontor, redis=redis))
    chore = export.Exports()
    with _worker(house.settings, "-c", DOOMED, house.settings.redis_url) as doomed:
        assert chore(context) == 1
        assert doomed.wait(PATIENCE_S) == -signal.SIGKILL
    assert house.sql("SELECT state, chunks FROM export") == [("running", 1)]
    browser.get(f"{url}/file", status=404)
    assert chore(context) == 0, "its lease has not run out"
    house.sql("UPDATE export SET lease_until = clock_timestamp(), rung_at = NULL")
    with _worker(house.settings, "-m", "jobs.worker", "exports"):
        assert chore(context) == 1
        _until(lambda: house.sql("SELECT state FROM export") == [("done",)])
    assert house.sql("SELECT attempts FROM export") == [(2,)]
    assert len(table(browser.get(f"{url}/file"))) == 2_002
    redis.close()


class _worker:
    """A real process, and nothing of it afterwards."""

    def __init__(self, settings: Settings, *argv: str) -> None:
        env = {**environment(settings), "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen([sys.executable, *argv], cwd=ROOT, env=env)

    def __enter__(self) -> subprocess.Popen[bytes]:
        return self._process

    def __exit__(self, *_error: object) -> None:
        if self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait(PATIENCE_S)


def _until(holds: object) -> None:
    assert callable(holds)
    until = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


def test_three_lost_workers_are_enough(house: House) -> None:
    browser = house.as_role("support")
    url = asked(browser)
    for _ in range(3):
        with house.kontor.read() as connection:
            assert export_work.claim(connection, id_of(url))
            assert export_work.claim(connection, id_of(url)) is None, "under lease"
        house.sql("UPDATE export SET lease_until = clock_timestamp()")
    with house.kontor.read() as connection:
        assert export_work.due(connection, 10) == []
    assert "begun three times" in browser.get(url).text


def test_whoever_lost_the_lease_writes_nothing(house: House) -> None:
    url = asked(house.as_role("support"))
    with house.kontor.read() as connection:
        first = export_work.claim(connection, id_of(url))
        assert first is not None
        house.sql("UPDATE export SET lease_until = clock_timestamp()")
        assert export_work.claim(connection, id_of(url))
        far = export_work.Progress(rows=1, chunks=1, bytes=1)
        for late in (
            lambda: export_work.add_chunk(connection, first, far, b"x"),
            lambda: export_work.progress(connection, first, far),
            lambda: export_work.done(connection, first),
            lambda: export_work.failed(connection, first, "defect"),
        ):
            with pytest.raises(export_work.Stopped):
                late()
    assert house.sql("SELECT count(*) FROM export_chunk") == [(0,)]


def test_nothing_can_be_written_while_it_is_read(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One moment, read only: rows that come meanwhile are in the next file."""
    browser = house.as_role("support")
    url = asked(browser)
    total = export_work.total

    def meanwhile(*values: object) -> None:
        many_payments(house.kontor, 5)
        total(*values)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(export_work, "total", meanwhile)
    write(house, url)
    assert len(table(browser.get(f"{url}/file"))) == 2


def test_every_list_and_every_table_can_be_a_file(house: House) -> None:
    """Asked for by its own button, where the list is not empty or filtered."""
    uwe = house.as_role("auditor")
    for name, listed in exported.LISTED.items():
        with house.app.test_request_context():
            button = uwe.get(listed.home()).one("form#export")
            head = [listed.head[column.name]() for column in EXPORTABLES[name].columns]
        url = asked(uwe, str(button.get("action")))
        assert write(house, url), name
        [(state, rows)] = house.sql("SELECT state, rows_done FROM export WHERE id = %s", id_of(url))
        assert state == "done", name
        told, *cells = table(uwe.get(f"{url}/file"))
        assert told == head
        assert len(cells) == rows


def test_every_list_has_headings_and_words(house: House) -> None:
    with house.app.test_request_context():
        for name, listed in exported.LISTED.items():
            columns = [column.name for column in EXPORTABLES[name].columns]
            assert [bool(listed.head[column]()) for column in columns] == [True] * len(columns)
            assert set(listed.words) <= set(columns)
            assert listed.act in ACTS
    assert set(exported.LISTED) == set(EXPORTABLES)
