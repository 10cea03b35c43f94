"""What reading the source can prove: bandit and ruff's security rules with a reason for every
exception, and rules of our own. Each rule has a sample that it must find."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from config import ROOT
from tests.architecture.source import PRODUCT, dotted, files, name, tree

BANDIT_EVERYWHERE = {
    "B101": "assertions stay on in production: nothing here runs with -O",
    "B404": "processes are our own programs and the embedded servers",
    "B603": "every process we start is a fixed list of arguments, never a shell",
    "B607": "PostgreSQL and Valkey are looked up where their wheels put them",
}
BANDIT_HERE = {
    ("jobs/providers/stripe/simulator/camt.py", "B405"): "it writes XML and reads none",
    ("webapp/access/second_factor.py", "B303"): "authenticators know no other, inside an HMAC",
    ("webapp/access/security.py", "B105"): "an empty token takes a cookie away",
    ("bench/browser.py", "B105"): "no password is right for an empty hash",
    ("bench/visible.py", "B105"): "an address of the sandbox",
    ("domain/stream/store.py", "B608"): "the names of columns, two constants",
}
"""What bandit sees and ruff does not; everything else is explained at its line."""
DICE = {
    "bench/rush.py": "made-up notifications",
    "bench/chaos.py": "which process dies next",
    "bench/people.py": "made-up payments",
    "bench/fuzz.py": "the same dice, the same requests",
    "bench/odd_requests.py": "the same dice, the same requests",
    "bench/stream_proof.py": "who commits when",
    "jobs/circuit.py": "jitter, so that a provider is not rushed when it is back",
    "jobs/handlers/probes.py": "jitter, so that workers do not ask in step",
}
BUILT = {
    "domain/operating/advancing.py": "two constants",
    "domain/stream/inbox.py": "two constants",
    "domain/stream/sequencer.py": "a number that PostgreSQL counted",
    "domain/readmodels/browse.py": "a number of ours: SET takes no parameters",
    "jobs/runs/export.py": "a number of ours: SET takes no parameters",
    "webapp/observing/readiness.py": "a number of ours: SET takes no parameters",
}
EQUALS = {
    "domain/recording.py": "the digest of a preview: what was shown, nothing secret",
    "webapp/blueprints/refunds.py": "the same digest",
    "webapp/blueprints/invoices.py": "the hash of a document: damage, not proof",
    "jobs/check/documents.py": "the same hash",
    "jobs/check/stream.py": "the digest of a table, live and rebuilt",
    "webapp/access/sessions.py": "a hash in a query: PostgreSQL compares, by an index",
    "webapp/access/half_open.py": "a hash in a query",
    "webapp/access/resets.py": "a hash in a query",
    "webapp/blueprints/account.py": "a hash in a query",
}
"""Where digests or tokens are compared with == and why that tells nobody anything."""
SECRETS = ("token", "csrf", "signature", "secret", "mac", "digest", "password", "nonce")
DANGEROUS = frozenset(
    {
        *("pickle", "marshal", "shelve", "dill", "yaml.load", "yaml.unsafe_load", "eval", "exec"),
        *("os.system", "os.popen", "subprocess.getoutput", "tempfile.mktemp", "xml.sax", "xml.dom"),
        *("jinja2.Template", "flask.render_template_string", "telnetlib", "ftplib"),
    }
)
CALLS_OUT = ("httpx.Client", "httpx.get", "httpx.post", "httpx.request", "httpx.AsyncClient")
CALLS_OUT += ("requests.get", "requests.post", "requests.Session", "urllib.request.urlopen")
CALLS_OUT += ("http.client.HTTPConnection", "http.client.HTTPSConnection", "urlopen")
Found = Iterator[int]


def calls(module: ast.Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(module) if isinstance(node, ast.Call))


def formatted_sql(module: ast.Module) -> Found:
    """A statement that is put together where it is executed."""
    for call in calls(module):
        executes = isinstance(call.func, ast.Attribute) and call.func.attr in (
            "execute",
            "executemany",
            "stream",
            "copy",
        )
        if executes and call.args and _is_built(call.args[0]):
            yield call.lineno


def _is_built(text: ast.expr) -> bool:
    match text:
        case ast.JoinedStr() | ast.BinOp(op=ast.Add() | ast.Mod()):
            return True
        case ast.Call(func=ast.Attribute(value=inner, attr="format" | "encode" | "join")):
            return isinstance(inner, ast.Constant) or _is_built(inner)
        case ast.Call(func=ast.Name(id="text"), args=[inner, *_]):
            return _is_built(inner)
        case _:
            return False


def unescaped_markup(module: ast.Module) -> Found:
    """Markup of anything but a constant: the constant's places are filled by `format` or `%`."""
    for call in calls(module):
        makes = dotted(call.func).rpartition(".")[2] == "Markup" and call.args
        if makes and not isinstance(call.args[0], ast.Constant):
            yield call.lineno


def secrets_compared_in_clear(module: ast.Module) -> Found:
    for node in ast.walk(module):
        if not isinstance(node, ast.Compare):
            continue
        if not any(isinstance(one, ast.Eq | ast.NotEq) for one in node.ops):
            continue
        sides = [node.left, *node.comparators]
        names = [dotted(one.func if isinstance(one, ast.Call) else one) for one in sides]
        if any(isinstance(one, ast.Constant) for one in sides):
            continue
        if any(one.rpartition(".")[2].lower().endswith(SECRETS) for one in names):
            yield node.lineno


def dice(module: ast.Module) -> Found:
    for node in ast.walk(module):
        if isinstance(node, ast.Import) and any(one.name == "random" for one in node.names):
            yield node.lineno
        if isinstance(node, ast.ImportFrom) and node.module == "random":
            yield node.lineno


def dangerous(module: ast.Module) -> Found:
    for node in ast.walk(module):
        named: set[str] = set()
        if isinstance(node, ast.Call):
            named = {dotted(node.func)}
        elif isinstance(node, ast.Import):
            named = {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            named = {str(node.module), *(f"{node.module}.{one.name}" for one in node.names)}
        if named & DANGEROUS and isinstance(node, ast.stmt | ast.expr):
            yield node.lineno


def careless_calls(module: ast.Module) -> Found:
    """A shell, TLS unchecked, a debugger, or a call to the outside without an end."""
    for call in calls(module):
        given = {word.arg: word.value for word in call.keywords}
        for word, wrong in (("shell", True), ("verify", False), ("debug", True)):
            value = given.get(word)
            if isinstance(value, ast.Constant) and value.value is wrong:
                yield call.lineno
        if dotted(call.func) in CALLS_OUT and "timeout" not in given:
            yield call.lineno


def kwargs(module: ast.Module) -> Found:
    """Whole forms taken over as they come: fields nobody asked for would be set, too."""
    for call in calls(module):
        for word in call.keywords:
            taken = ast.unparse(word.value)
            if word.arg is None and re.search(r"request\.(form|args|values|json)", taken):
                yield call.lineno


RULES: dict[Callable[[ast.Module], Found], tuple[dict[str, str], tuple[str, ...]]] = {
    formatted_sql: (
        BUILT,
        (
            "c.execute(f'SELECT {x}')",
            "c.execute('SELECT ' + x)",
            "c.execute('SELECT %s' % x)",
            "c.execute('SELECT {}'.format(x))",
            "db.session.execute(text(f'SELECT {x}'))",
            "c.execute(f'SELECT {x}'.encode())",
        ),
    ),
    unescaped_markup: (
        {
            "webapp/fragments.py": "a template's own answer, escaped there",
            "webapp/texts.py": "a text of the source or its translation; its values are escaped",
            "webapp/retold.py": "the same: found in the catalogue by what was stored",
        },
        ("Markup(x)", "Markup(f'<b>{x}</b>')", "markupsafe.Markup('<b>' + x)"),
    ),
    secrets_compared_in_clear: (
        EQUALS,
        ("if token == sent: pass", "x = a.signature != b", "x = hmac_digest == given()"),
    ),
    dice: (DICE, ("import random", "from random import choice")),
    dangerous: (
        {},
        (
            "import pickle",
            "from pickle import loads",
            "yaml.load(x)",
            "eval(x)",
            "os.system(x)",
            "from flask import render_template_string",
            "from xml.sax import parse",
        ),
    ),
    careless_calls: (
        dict.fromkeys(
            ("bench/pages.py", "bench/visible.py"), "httpx itself gives up after five seconds"
        ),
        (
            "subprocess.run(x, shell=True)",
            "httpx.get(x, verify=False, timeout=1)",
            "httpx.Client()",
            "requests.post(x)",
            "app.run(debug=True)",
        ),
    ),
    kwargs: ({}, ("RequestRefund(**request.form)", "Staff(**dict(request.form.items()))")),
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_source_keeps_the_rule(rule: Callable[[ast.Module], Found]) -> None:
    explained, _samples = RULES[rule]
    found = {name(path): list(rule(tree(path))) for path in files(*PRODUCT)}
    where = {path: lines for path, lines in found.items() if lines}
    assert set(where) - set(explained) == set(), where
    gone = set(explained) - set(where)
    assert gone == set(), f"explained for nothing: {gone}"


@pytest.mark.parametrize(
    ("rule", "sample"),
    [(rule, sample) for rule, (_explained, samples) in RULES.items() for sample in samples],
)
def test_the_rule_finds_it(rule: Callable[[ast.Module], Found], sample: str) -> None:
    assert list(rule(ast.parse(sample)))


UNSAFE_IN_TEMPLATES = re.compile(
    r"\|\s*safe\b|autoescape\s+false|\bMarkup\b|<script(?![^>]*\bsrc=)|\bon[a-z]+\s*=\s*[\"']|"
    r"\bstyle\s*=|\bhx-on\b|javascript:",
    re.IGNORECASE,
)


def test_templates_escape_everything_and_hold_no_script() -> None:
    found = [
        f"{name(path)}:{number}: {line.strip()[:80]}"
        for folder in ("webapp/templates", "jobs/documents")
        for path in sorted((ROOT / folder).rglob("*.html"))
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if UNSAFE_IN_TEMPLATES.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "{{ note|safe }}",
        "{% autoescape false %}",
        "<script>x()</script>",
        '<b onclick="x()">',
        '<p style="color:red">',
        '<a href="javascript:x()">',
    ],
)
def test_an_unsafe_template_is_seen(line: str) -> None:
    assert UNSAFE_IN_TEMPLATES.search(line)
    assert not UNSAFE_IN_TEMPLATES.search('<script src="{{ asset(x) }}" defer></script>')


@cache
def bandit(*paths: str) -> list[dict[str, object]]:
    said = subprocess.run(
        [Path(sys.executable).with_name("bandit"), "-q", "-r", "-f", "json", *paths],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    told = json.loads(said.stdout)
    assert told["errors"] == []
    results: list[dict[str, object]] = told["results"]
    return results


def unexplained(found: list[dict[str, object]]) -> list[str]:
    """Findings without a reason in the tables above or at their lines; ruff's S123 is B123."""
    left = []
    for one in found:
        path, rule = str(one["filename"]).removeprefix("./"), str(one["test_id"])
        if rule in BANDIT_EVERYWHERE or (path, rule) in BANDIT_HERE:
            continue
        if rule == "B311" and path in DICE:
            continue
        if not _said_at_its_lines(ROOT / path, one["line_range"], rule):
            left.append(f"{path}:{one['line_number']} {rule} {one['issue_text']}")
    return left


def _said_at_its_lines(path: Path, lines: object, rule: str) -> bool:
    source = path.read_text().splitlines()
    numbers = lines if isinstance(lines, list) else []
    wanted = re.compile(rf"# noqa: [A-Z0-9, ]*S{rule[1:]}\b\s*(#|-)*\s*\w+")
    # A statement of several lines carries its reason on the last one.
    return any(
        wanted.search(source[n - 1]) for n in (*numbers, max(numbers) + 1) if n <= len(source)
    )


def test_bandit_finds_nothing_unexplained() -> None:
    assert unexplained(bandit(*PRODUCT)) == []


def test_bandit_is_awake(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text("import pickle\npassword = 'hunter2'\nx = pickle.loads(b'')\nexec(x)\n")
    rules = {str(one["test_id"]) for one in bandit(str(bad))}
    assert {"B105", "B301", "B102"} <= rules
    assert unexplained(bandit(str(bad)))


def test_ruffs_security_rules_are_on() -> None:
    """test_style runs them; here only that nobody switches them off by the dozen."""
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert "S" in lint["select"]
    assert {one for one in lint["ignore"] if one.startswith("S")} == {"S101", "S603", "S607"}
    silenced = {
        one
        for rules in lint["per-file-ignores"].values()
        for one in rules
        if one.startswith("S") and not one.startswith("SIM")
    }
    assert "S" not in silenced
    assert len(silenced) < 10
