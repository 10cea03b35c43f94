"""What we did not write: a licence list and a bill of materials that say what is really pinned and
installed, and no licence that nobody agreed to. (Pins and copied files: test_dependencies.)"""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version

import pytest

from jobs import licences
from jobs.docs import DOCS
from tests.architecture.test_dependencies import PINNED, requirements

ANEW = "on purpose? then: ./run docs"


def test_the_licence_list_is_up_to_date() -> None:
    assert (DOCS / "LICENCES.md").read_text() == licences.page(), ANEW


def test_the_bill_of_materials_is_up_to_date() -> None:
    assert (DOCS / "sbom.cdx.json").read_text() == licences.bill_of_materials(), ANEW


def test_every_pinned_package_is_in_the_bill() -> None:
    pinned = {(found[1], found[2]) for line in requirements() if (found := PINNED.match(line))}
    bill = json.loads(licences.bill_of_materials())
    listed = {
        (one["name"], one["version"])
        for one in bill["components"]
        if one["purl"].startswith("pkg:pypi/")
    }
    assert listed == pinned
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    references = [one["bom-ref"] for one in bill["components"]]
    assert len(references) == len(set(references))


def test_what_tests_use_is_not_said_to_be_shipped() -> None:
    shipped = {one.name for one in licences.parts() if one.shipped}
    assert {"flask", "psycopg", "htmx.org", "inter-ui"} <= shipped
    assert not shipped & {"pytest", "ruff", "playwright", "axe-core"}


def test_every_licence_is_one_we_agreed_to() -> None:
    for one in licences.parts():
        assert licences.agreed(one.licence), one


def test_what_is_installed_beside_the_list_is_known() -> None:
    """A package whose licence is written down here must not say something else by itself."""
    for name in licences.KNOWN:
        try:
            assert version(name)
        except PackageNotFoundError:
            assert name == "async-timeout"


@pytest.mark.parametrize(
    ("expression", "good"),
    [
        ("MIT", True),
        ("Apache-2.0 OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("AGPL-3.0-or-later", False),
        ("SSPL-1.0", False),
        ("", False),
    ],
)
def test_what_is_agreed(expression: str, good: bool) -> None:
    assert licences.agreed(expression) is good


def test_a_package_that_says_nothing_is_refused() -> None:
    assert not licences.agreed(licences.licence("no-such-package"))
