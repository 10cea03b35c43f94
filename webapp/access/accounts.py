"""What a user name and a name must be, at every door an account comes in by: the pages of the
admins and the command line."""

from __future__ import annotations

from typing import Final

from webapp.access.passwords import LOGIN_CHARS_MAX
from webapp.cards import card_problem
from webapp.texts import _
from webapp.typed import typed

NAME_CHARS_MAX: Final = 80
"""As long as the longest that a list still shows on its line."""


def read_login(text: str | None) -> str:
    """As it is stored; one sign more than allowed is kept, so that too long is seen."""
    return typed(text, LOGIN_CHARS_MAX + 1).lower()


def read_name(text: str | None) -> str:
    return " ".join(typed(text, NAME_CHARS_MAX + 1).split())


def login_problem(login: str) -> str:
    """Why this user name will not do, or nothing."""
    odd = " " in login or not login.isprintable()
    if not login or odd or len(login) > LOGIN_CHARS_MAX:
        return _("A user name has 1 to 80 characters and no spaces.")
    return ""


def name_problem(name: str) -> str:
    """Why this name will not do, or nothing."""
    if not name:
        return _("Enter the name.")
    if len(name) > NAME_CHARS_MAX:
        return _("A name has at most %(count)s characters.", count=NAME_CHARS_MAX)
    return card_problem(name)
