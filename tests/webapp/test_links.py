"""Every role walks through all the pages it can reach: no link may lead to "your role may not"."""

from __future__ import annotations

from collections import Counter
from urllib.parse import urlsplit

import lxml.html
import pytest
from flask import Flask
from werkzeug.routing import RequestRedirect
from werkzeug.test import TestResponse

from domain import operating
from domain.operating.watch import BANK
from tests.pages import AsRole
from tests.readmodels.aside import parked_effect, parked_stream, quarantined
from tests.readmodels.kit import Following, Story
from webapp.access.permissions import Role

VISITS_MAX = 3
"""Pages of one kind that are opened: the same template, filled differently."""


@pytest.fixture
def app_with_a_bit_of_everything(app: Flask) -> Flask:
    with Following(app.extensions["kontor"]) as kit:
        story = Story(kit)
        story.confirmed()
        story.refund(5_00)
        story.refund(500_00 // 100 * 101 // 100)
        Story(kit, name="Petra Lang").failed()
        parked_stream(kit)
        parked_effect(kit.kontor, "render")
        quarantined(kit.kontor)
        quarantined(kit.kontor, provider=BANK)
        operating.raise_cases(kit.kontor)
        kit.settle()
    return app


def _links(answer: TestResponse) -> set[str]:
    tree = lxml.html.document_fromstring(answer.get_data())
    found = {str(one.get("href")) for one in tree.cssselect("a[href]")}
    found |= {str(one.get("hx-get")) for one in tree.cssselect("[hx-get]")}
    return {link.partition("#")[0] for link in found if link.startswith("/")}


def _kind(app: Flask, link: str) -> str:
    try:
        return str(app.url_map.bind("127.0.0.1").match(urlsplit(link).path)[0])
    except RequestRedirect:
        return link


@pytest.mark.parametrize("role", list(Role))
def test_no_link_leads_to_what_the_role_may_not_do(
    app_with_a_bit_of_everything: Flask, as_role: AsRole, role: Role
) -> None:
    app = app_with_a_bit_of_everything
    client = as_role(role).client
    ahead, seen, visits = ["/style", "/sandbox"], {"/style", "/sandbox"}, Counter[str]()
    shut: list[str] = []
    while ahead:
        link = ahead.pop(0)
        kind = _kind(app, link)
        visits[kind] += 1
        if visits[kind] > VISITS_MAX:
            continue
        answer = client.get(link, buffered=True)
        assert answer.status_code < 500 or kind.startswith("sandbox."), link
        if answer.status_code == 403:
            shut.append(link)
        if answer.status_code == 200 and answer.mimetype == "text/html":
            new = _links(answer) - seen
            seen |= new
            ahead += sorted(new)
    assert shut == []
    if role is not Role.ADMIN:
        assert {"payments.detail", "work.detail", "stream.show", "stream.notification"} <= {*visits}
