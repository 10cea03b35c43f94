"""What Kontor is made of and under which licences: docs/LICENCES.md for people and
docs/sbom.cdx.json (CycloneDX) for machines, from requirements.txt, what the packages say about
themselves, and the VERSIONS of copied files. Run by `./run docs`."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata
from typing import Final

from config import ROOT

PINNED: Final = re.compile(r"^(?P<name>[a-z0-9._-]+)(?:\[[a-z,]+\])?==(?P<version>[^\s;]+)")
TESTS: Final = "# Tests and checks"
SPDX: Final = {
    "BSD License": "BSD-3-Clause",
    "BSD 2-Clause License": "BSD-2-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "MIT license": "MIT",
    "Apache Software License": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""What packages call it -> its name at spdx.org."""
KNOWN: Final = {
    # Not installed everywhere: only a certain Python needs them.
    "async-timeout": "Apache-2.0",
    # One of several, at our choice.
    "pyphen": "MPL-1.1",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
    "pypdfium2": "BSD-3-Clause AND Apache-2.0",
}
ALLOWED: Final = frozenset(
    {
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MIT", "MIT-0", "MIT-CMU"),
        *("OFL-1.1", "PSF-2.0"),
        # Weak copyleft: we change none of their files and link them as they come.
        *("LGPL-3.0-only", "MPL-1.1", "MPL-2.0"),
    }
)
"""A licence outside this list is a decision for people; a test says so."""
COPIED: Final = ("webapp/static/vendor", "jobs/documents/fonts", "tests/ui/vendor")
_FONT: Final = re.compile(r"^(\w+) ([\d.]+), unchanged files of the npm package (\S+) ([\d.]+)")
_VENDOR: Final = re.compile(r"^(\S+) ([\d.]+) (\S+) \S+ [0-9a-f]{64}$", re.MULTILINE)
HEAD: Final = """# Licences

Written by `./run docs`; a test compares it with requirements.txt and with what is installed, and
fails for a licence nobody has agreed to. Kontor itself is Apache-2.0. The same list for machines:
[sbom.cdx.json](sbom.cdx.json). Why each is there: [dependencies](decisions/dependencies.md).
"""


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """`kind` is pypi or npm; `shipped` is False for what only tests use."""

    name: str
    version: str
    licence: str
    kind: str
    shipped: bool

    @property
    def page(self) -> str:
        if self.kind == "npm":
            return f"https://www.npmjs.com/package/{self.name}/v/{self.version}"
        return f"https://pypi.org/project/{self.name}/{self.version}/"

    @property
    def purl(self) -> str:
        return f"pkg:{self.kind}/{self.name.replace('@', '%40')}@{self.version}"


@cache
def parts() -> tuple[Part, ...]:
    return tuple(sorted([*_packages(), *_copied()]))


def _packages() -> Iterator[Part]:
    shipped = True
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        shipped = shipped and not line.startswith(TESTS)
        if found := PINNED.match(line):
            name = found["name"]
            yield Part(name, found["version"], licence(name), "pypi", shipped and name != "pytest")


def licence(name: str) -> str:
    """As the package says, in SPDX words; "" when it says nothing that we understand."""
    if name in KNOWN:
        return KNOWN[name]
    try:
        says = metadata(name)
    except PackageNotFoundError:
        return ""
    if expressions := says.get_all("License-Expression"):
        return str(expressions[0])
    written = "".join(says.get_all("License") or []).strip()
    classified = [
        str(line).rpartition(" :: ")[2]
        for line in says.get_all("Classifier") or []
        if line.startswith("License ::")
    ]
    for one in (written, *classified):
        if SPDX.get(one, one) in ALLOWED:
            return SPDX.get(one, one)
    return classified[0] if classified else str(written.partition("\n")[0])


def _copied() -> Iterator[Part]:
    """Files of other people that stand in our tree, from the VERSIONS beside them."""
    for folder in COPIED:
        text = (ROOT / folder / "VERSIONS").read_text()
        shipped = not folder.startswith("tests")
        found = {(one[1], one[2], one[3]) for one in _VENDOR.finditer(text)}
        if font := _FONT.match(text):
            found.add((font[3], font[4], "OFL-1.1"))
        for name, version, terms in sorted(found):
            yield Part(name, version, terms, "npm", shipped)


def agreed(expression: str) -> bool:
    """Every licence of an AND, one of an OR."""
    return all(
        any(one.strip() in ALLOWED for one in term.split(" OR "))
        for term in expression.strip("()").split(" AND ")
    )


def page() -> str:
    lines = [HEAD]
    for title, shipped in (("What Kontor runs with", True), ("What only its tests use", False)):
        lines += [f"## {title}\n", "| part | version | licence |", "|---|---|---|"]
        lines += [
            f"| [{one.name}]({one.page}) | {one.version} | {one.licence} |"
            for one in parts()
            if one.shipped is shipped
        ]
        lines.append("")
    return "\n".join(lines)


def bill_of_materials() -> str:
    """CycloneDX 1.6. Without a date and a serial number: the same parts, the same bytes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    kontor = {"type": "application", "name": project["name"], "version": project["version"]}
    components = [
        {
            "type": "library",
            "bom-ref": one.purl,
            "name": one.name,
            "version": one.version,
            "scope": "required" if one.shipped else "excluded",
            "licenses": [{"expression": one.licence}],
            "purl": one.purl,
        }
        for one in parts()
    ]
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": kontor | {"licenses": [{"expression": project["license"]}]}},
        "components": components,
    }
    return json.dumps(bill, indent=1, ensure_ascii=False) + "\n"
