"""While a provider does not answer the pages say so: what waits, since when, and why "Check now"
asks nothing. People go on working; a case tells them once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import cast
from uuid import uuid4

import pytest
from flask import Flask

from domain.payments import commands as pay
from domain.payments.provider import CloseCircuit, OpenCircuit, provider_id
from domain.payments.provider_events import Trouble
from domain.readmodels.providers import provider
from domain.stream import circuit
from domain.work.commands import case_id
from domain.work.events import CaseType
from tests.pages import AsRole, words
from tests.readmodels.kit import Following, Story
from tests.webapp.queries import asked
from webapp.access.permissions import Role

STRIPE = provider_id("stripe")
INCIDENT = case_id(CaseType.PROVIDER_INCIDENT, STRIPE, "1")


@pytest.fixture
def kit(app: Flask) -> Iterator[Following]:
    with Following(app.extensions["kontor"]) as kit:
        yield kit


@pytest.fixture
def refund(kit: Following) -> Story:
    story = Story(kit)
    story.confirmed()
    return story


def falls_silent(kit: Following, reason: Trouble = Trouble.TIMEOUT) -> None:
    with kit.kontor.read() as connection:
        for _ in range(3):
            circuit.failed(connection, "stripe", reason)
    kit.do(OpenCircuit(by="worker", provider="stripe", reason=reason, failures=3))
    with kit.kontor.read() as connection:
        circuit.open_(connection, "stripe", 1)


def answers_again(kit: Following) -> None:
    with kit.kontor.read() as connection:
        circuit.close(connection, "stripe", 1)
    kit.do(CloseCircuit(by="worker", provider="stripe", opening=1))


def test_a_refund_that_waits_says_for_whom(kit: Following, refund: Story, as_role: AsRole) -> None:
    falls_silent(kit)
    first, second = refund.refund(10_00), refund.refund(20_00)
    mia = as_role(Role.SUPPORT)
    note = words(mia.get(f"/refunds/{first}").one(".note.warn"))
    assert note.startswith("Stripe has not answered since ")
    assert "3 orders wait." in note  # The premium's, which no worker sent in this story, too.
    assert "sent once, by itself" in note
    with asked() as sent:
        mia.get(f"/refunds/{second}")
    assert len(sent) <= 3
    answers_again(kit)
    assert not mia.get(f"/refunds/{first}").select(".note.warn")


def test_check_now_says_why_nothing_was_asked(
    kit: Following, refund: Story, as_role: AsRole
) -> None:
    refund_id = refund.refund(10_00)
    both = {"refund_id": refund_id, "payment_id": refund.payment_id}
    kit.do(pay.SubmitRefund(by="worker", key="k", **both))
    kit.do(pay.RecordRefundUnknown(by="worker", why="connection", **both))
    falls_silent(kit)
    mia = as_role(Role.SUPPORT)
    mia.post(f"/refunds/{refund_id}/check")
    page = mia.get(f"/refunds/{refund_id}")
    assert "Nothing was asked: Stripe does not answer." in words(page.one(".toast"))
    assert "has not answered since" in words(page.one(".note.warn"))
    mia.post(f"/payments/{refund.payment_id}/check")
    assert "Nothing was asked" in words(mia.get(f"/payments/{refund.payment_id}").one(".toast"))
    with kit.kontor.read() as connection:
        assert connection.execute("SELECT count(*) FROM inbox").fetchone() == (0,)


def pause(kit: Following) -> datetime | None:
    """Until when the question whether Stripe answers waits."""
    with kit.kontor.read() as connection:
        row = connection.execute(
            "SELECT not_before FROM effect WHERE kind = 'probe_provider'"
        ).fetchone()
    assert row is not None
    return cast(datetime | None, row[0])


def waits_long(kit: Following) -> None:
    with kit.kontor.read() as connection:
        connection.execute(
            "UPDATE effect SET not_before = clock_timestamp() + interval '5 minutes'"
            " WHERE kind = 'probe_provider'"
        )
    assert pause(kit) is not None


def test_whoever_may_asks_at_once(kit: Following, refund: Story, as_role: AsRole) -> None:
    """On the System page, and by switching the faults of the sandbox off."""
    refund.refund(10_00)
    falls_silent(kit, Trouble.SERVER_ERROR)
    kit.settle()
    waits_long(kit)
    jon = as_role(Role.OPERATIONS)
    page = jon.get("/system")
    assert "it answers with an error of its own" in page.text
    assert "server_error" not in page.text
    assert not as_role(Role.AUDITOR).get("/system").select("form[action='/system/ask']")
    jon.post("/system/ask", {"provider": "stripe"})
    assert pause(kit) is None
    assert "Stripe is asked now." in words(jon.get("/system").one(".toast"))
    answers_again(kit)
    jon.post("/system/ask", {"provider": "stripe"})
    assert "Nothing was asked" in words(jon.get("/system").one(".toast"))


def test_without_faults_nobody_waits_for_the_pause(
    kit: Following, as_role: AsRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.simulator.ask", lambda *_asked: {})
    falls_silent(kit)
    kit.settle()
    waits_long(kit)
    jon = as_role(Role.OPERATIONS)
    jon.post("/sandbox/faults", {"outage-mode": "server_error"})
    assert pause(kit) is not None
    jon.post("/sandbox/faults", {"clear": "1"})
    assert pause(kit) is None


@pytest.mark.parametrize("reason", Trouble)
def test_people_are_told_once_and_the_case_closes_by_itself(
    kit: Following, as_role: AsRole, reason: Trouble
) -> None:
    mia = as_role(Role.SUPPORT)
    falls_silent(kit, reason)
    kit.settle()
    again = OpenCircuit(by="worker", provider="stripe", reason=reason, failures=9)
    assert kit.kontor.dispatch(again, uuid4()).events == ()
    page = mia.get(f"/work/{INCIDENT}")
    assert page.h1.startswith("No usable answer from Stripe: ")
    assert "Never pay by another way." in page.text
    assert "nothing is sent" in mia.get("/stream").text
    answers_again(kit)
    kit.settle()
    assert "Case closed: its reason is gone" in mia.get(f"/work/{INCIDENT}").text


def test_the_state_of_a_provider_in_numbers(kit: Following, refund: Story) -> None:
    with kit.kontor.read() as connection:
        calm = provider(connection, "stripe")
        assert calm is not None
        assert (calm.circuit, calm.since, calm.next_try_s) == ("closed", None, None)
    falls_silent(kit, Trouble.GARBAGE)
    refund.refund(10_00)
    with kit.kontor.read() as connection:
        found = provider(connection, "stripe")
        assert provider(connection, "nobody") is None
    assert found is not None
    assert (found.circuit, found.reason, found.failures) == ("open", "garbage", 3)
    # The premium's order and the refund's.
    assert (found.waiting, found.orders, found.next_try_s) == (2, 2, 0)
    assert found.since is not None
    assert found.since.date() > date(2026, 1, 1)
