"""One frozen Settings, read once from the environment, with embedded defaults for the sandbox.
Production has no defaults: it refuses to start and names every value that is missing, left over
from the sandbox or not the provider's own. Only jobs, webapp and wsgi read it, never the domain."""

from __future__ import annotations

import base64
import binascii
import fcntl
import json
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast
from urllib.parse import urlsplit

Mode = Literal["sandbox", "production"]
LogStyle = Literal["text", "json"]
ROOT = Path(__file__).resolve().parent
STRIPE_API = "https://api.stripe.com"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
# The simulator's two sockets stand directly above the web port.
SIMULATOR_API, SIMULATOR_CONTROL = 1, 2
KEK_BYTES = 32
SECRET_CHARS_MIN = 32


class ConfigError(Exception):
    """Kontor must not start like this; the text says every reason at once."""

    def __init__(self, mode: str, reasons: list[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__(
            f"Kontor does not start in {mode} mode:\n" + "\n".join(f"  - {r}" for r in reasons)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Who we are on documents, mandates and statements."""

    name: str
    street: str
    postcode: str
    city: str
    email: str
    creditor_id: str
    insurance_tax_number: str
    iban: str
    bic: str


# The sandbox's fictional insurer. No bank account, tax number or creditor id of a real company.
HAFENLICHT = House(
    name="Hafenlicht Versicherung AG",
    street="Am Sandtorkai 12",
    postcode="20457",
    city="Hamburg",
    email="kundenservice@hafenlicht.example",
    creditor_id="DE98ZZZ09999999999",
    insurance_tax_number="807/V90807009999",
    iban="DE09200700000123456789",
    bic="DEUTDEHHXXX",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that may differ between two machines. `database_url` and `redis_url` are empty
    in a sandbox whose embedded servers are not started yet (jobs.supervisor fills them in)."""

    mode: Mode
    var: Path
    host: str
    port: int
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    kek: bytes = field(repr=False)
    stripe_api_key: str = field(repr=False)
    stripe_api_base: str
    stripe_webhook_secret: str = field(repr=False)
    simulator_control: str
    house: House
    allowed_hosts: tuple[str, ...]
    # Empty: /metrics is shut, no traces are sent.
    metrics_token: str = field(repr=False)
    otel_endpoint: str
    log: LogStyle

    @property
    def sandbox(self) -> bool:
        return self.mode == "sandbox"

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def hook_url(self) -> str:
        return f"{self.url}/hooks/stripe"

    @property
    def sqlalchemy_url(self) -> str:
        return self.database_url.replace("postgresql://", "postgresql+psycopg://", 1)

    @staticmethod
    def from_env(environ: Mapping[str, str] | None = None) -> Settings:
        given = os.environ if environ is None else environ
        env = {name: value.strip() for name, value in given.items() if value.strip()}
        mode = env.get("KONTOR_MODE", "sandbox")
        match mode:
            case "sandbox":
                return _sandbox(env)
            case "production":
                return _production(env)
        raise ConfigError(mode, ["KONTOR_MODE is neither sandbox nor production"])


def _sandbox(env: Mapping[str, str]) -> Settings:
    port, reasons = _port(env)
    values = _SANDBOX_DEFAULTS | {
        "STRIPE_API_BASE": f"http://{LOOPBACK[0]}:{port + SIMULATOR_API}",
        "KONTOR_SIMULATOR_CONTROL": f"http://{LOOPBACK[0]}:{port + SIMULATOR_CONTROL}",
        **env,
    }
    if values["KONTOR_HOST"] not in LOOPBACK:
        reasons.append("KONTOR_HOST must be a loopback address: the sandbox shows its passwords")
    for name in ("STRIPE_API_BASE", "KONTOR_SIMULATOR_CONTROL"):
        if urlsplit(values[name]).hostname not in LOOPBACK:
            reasons.append(f"{name} must be a loopback address: the sandbox moves no real money")
    if "_live_" in env.get("STRIPE_API_KEY", ""):
        reasons.append("STRIPE_API_KEY is a live key")
    if "KONTOR_KEK" in env and _kek(env["KONTOR_KEK"]) is None:
        reasons.append(_KEK_HINT)
    reasons += _watching(env)
    if reasons:
        raise ConfigError("sandbox", reasons)
    return _settings("sandbox", port, sandbox_secrets(_var(env)) | values)


def _production(env: Mapping[str, str]) -> Settings:
    port, reasons = _port(env)
    path = _var(env) / "secrets"
    sandbox = _SANDBOX_IDENTITY | (json.loads(path.read_text()) if path.exists() else {})
    problems = (_problem(name, env.get(name, ""), sandbox) for name in PRODUCTION_CHECKS)
    reasons += [problem for problem in problems if problem]
    values = {
        "KONTOR_HOST": LOOPBACK[0],
        "STRIPE_API_BASE": STRIPE_API,
        "KONTOR_LOG": "json",
        **env,
    }
    if values["STRIPE_API_BASE"] != STRIPE_API:
        reasons.append(f"STRIPE_API_BASE is not the provider's own {STRIPE_API}")
    if "KONTOR_SIMULATOR_CONTROL" in env:
        reasons.append("KONTOR_SIMULATOR_CONTROL is set: there is no simulator in production")
    reasons += _watching(env, sandbox)
    if reasons:
        raise ConfigError("production", reasons)
    return _settings("production", port, values)


def _settings(mode: Mode, port: int, values: Mapping[str, str]) -> Settings:
    house = {name: values[key] for name, key in HOUSE_ENV.items()}
    return Settings(
        mode=mode,
        var=_var(values),
        host=values["KONTOR_HOST"],
        port=port,
        database_url=_libpq(values.get("DATABASE_URL", "")),
        redis_url=values.get("REDIS_URL", ""),
        secret_key=values["KONTOR_SECRET_KEY"],
        kek=_kek(values["KONTOR_KEK"]) or b"",
        stripe_api_key=values["STRIPE_API_KEY"],
        stripe_api_base=values["STRIPE_API_BASE"],
        stripe_webhook_secret=values["STRIPE_WEBHOOK_SECRET"],
        simulator_control=values.get("KONTOR_SIMULATOR_CONTROL", ""),
        house=House(**house | {"iban": house["iban"].replace(" ", "")}),
        allowed_hosts=tuple(h.strip() for h in values["KONTOR_ALLOWED_HOSTS"].split(",")),
        metrics_token=values.get("KONTOR_METRICS_TOKEN", ""),
        otel_endpoint=values.get("KONTOR_OTEL_ENDPOINT", ""),
        log=cast(LogStyle, values["KONTOR_LOG"]),
    )


def _watching(env: Mapping[str, str], sandbox: Mapping[str, str] | None = None) -> list[str]:
    """What is wrong with the settings for logs, metrics and traces; all of them may be absent."""
    known = sandbox or {}
    checks = ((name, check) for name, check in _WATCHING_CHECKS.items() if name in env)
    found = []
    for name, check in checks:
        left_over = env[name] == known.get(name)
        problem = "is the sandbox's value" if left_over else check(env[name])
        if problem:
            found.append(f"{name} {problem}")
    return found


def _problem(name: str, value: str, sandbox: Mapping[str, str]) -> str:
    """The reason why this value cannot be used in production, or an empty string."""
    if not value:
        return f"{name} is missing"
    if value == sandbox.get(name):
        return f"{name} is the sandbox's value"
    problem = PRODUCTION_CHECKS[name](value)
    return f"{name} {problem}" if problem else ""


def _check_secret(value: str) -> str:
    if re.search(r"change.?me|example|default|secret|password", value, re.IGNORECASE):
        return "is a default value"
    if len(value) < SECRET_CHARS_MIN or len(set(value)) < 8:
        return f"is not a secret: at least {SECRET_CHARS_MIN} random characters"
    return ""


def _check_kek(value: str) -> str:
    key = _kek(value)
    if key is None or len(set(key)) < 8:
        return _KEK_HINT.removeprefix("KONTOR_KEK ")
    return ""


def _check_stripe_key(value: str) -> str:
    if "_test_" in value:
        return "is a sandbox key"
    return "" if re.fullmatch(r"[sr]k_live_\w{16,}", value) else "is not a live secret key"


def _check_iban(value: str) -> str:
    compact = value.replace(" ", "")
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", compact) or not _mod97(compact):
        return "has wrong check digits"
    return ""


def _check_creditor_id(value: str) -> str:
    # The business code (places 5 to 7) takes no part in the check digits.
    if not re.fullmatch(r"[A-Z]{2}\d{2}\w{3}\w{1,28}", value) or not _mod97(value[:4] + value[7:]):
        return "has wrong check digits"
    return ""


def _shape(pattern: str, problem: str) -> Callable[[str], str]:
    return lambda value: "" if re.match(pattern, value) else problem


def _anything(_value: str) -> str:
    return ""


_KEK_HINT = f"KONTOR_KEK is not {KEK_BYTES} random bytes in base64 (openssl rand -base64 32)"
HOUSE_ENV = {name: f"KONTOR_HOUSE_{name.upper()}" for name in House.__dataclass_fields__}
_SANDBOX_DEFAULTS = {
    "KONTOR_HOST": LOOPBACK[0],
    "KONTOR_LOG": "text",
    "KONTOR_ALLOWED_HOSTS": ",".join(LOOPBACK),
    **{key: str(getattr(HAFENLICHT, name)) for name, key in HOUSE_ENV.items()},
}
# Only what belongs to one company alone gives the sandbox away; a city or a bank's BIC does not.
_SANDBOX_IDENTITY = {
    HOUSE_ENV[name]: _SANDBOX_DEFAULTS[HOUSE_ENV[name]]
    for name in ("name", "email", "creditor_id", "insurance_tax_number", "iban")
}
PRODUCTION_CHECKS: dict[str, Callable[[str], str]] = {
    "DATABASE_URL": _shape(r"postgres(ql)?(\+psycopg)?://", "is no PostgreSQL URL"),
    "REDIS_URL": _shape(r"(rediss?|unix)://", "is no Redis URL"),
    "KONTOR_SECRET_KEY": _check_secret,
    "KONTOR_KEK": _check_kek,
    "STRIPE_API_KEY": _check_stripe_key,
    "STRIPE_WEBHOOK_SECRET": _shape(r"whsec_\S{16,}$", "is not a webhook secret (whsec_…)"),
    "KONTOR_ALLOWED_HOSTS": _anything,
    **dict.fromkeys(HOUSE_ENV.values(), _anything),
    HOUSE_ENV["creditor_id"]: _check_creditor_id,
    HOUSE_ENV["iban"]: _check_iban,
}

_WATCHING_CHECKS: dict[str, Callable[[str], str]] = {
    "KONTOR_METRICS_TOKEN": _check_secret,
    "KONTOR_OTEL_ENDPOINT": _shape(r"https?://[^\s/@]+(/\S*)?$", "is no URL of a collector"),
    "KONTOR_LOG": _shape(r"(text|json)$", "is neither text nor json"),
}


_SANDBOX_SECRETS: dict[str, Callable[[], str]] = {
    "KONTOR_SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "KONTOR_KEK": lambda: base64.b64encode(secrets.token_bytes(KEK_BYTES)).decode(),
    "STRIPE_API_KEY": lambda: "sk_test_" + secrets.token_hex(24),
    "STRIPE_WEBHOOK_SECRET": lambda: "whsec_" + secrets.token_hex(24),
    "KONTOR_METRICS_TOKEN": lambda: secrets.token_urlsafe(36),
}


def sandbox_secrets(var: Path) -> dict[str, str]:
    """The sandbox's secrets, made once; one that a later version asks for is added. Two processes
    may start at the same moment: the file appears whole, and the second reads the first one's."""
    path = var / "secrets"
    if not path.exists():
        # Others may pass through (an unprivileged PostgreSQL must), nobody may look around.
        var.mkdir(parents=True, exist_ok=True, mode=0o711)
        draft = _drafted(path, {})
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # the other process was first; its secrets hold
        finally:
            draft.unlink()
    known = _read_secrets(path)
    return known if _SANDBOX_SECRETS.keys() <= known.keys() else _completed(path)


def _completed(path: Path) -> dict[str, str]:
    with path.open() as before:
        fcntl.flock(before, fcntl.LOCK_EX)
        known = _read_secrets(path)
        if not _SANDBOX_SECRETS.keys() <= known.keys():  # else whoever held the lock has done it
            os.replace(_drafted(path, known), path)
        return _read_secrets(path)


def _drafted(path: Path, known: Mapping[str, str]) -> Path:
    """A private file beside it: what is known, and fresh secrets for what is missing."""
    fresh = {name: make() for name, make in _SANDBOX_SECRETS.items() if name not in known}
    draft = path.with_name(f".secrets-{secrets.token_hex(8)}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps({**known, **fresh}, indent=1))
    return draft


def _read_secrets(path: Path) -> dict[str, str]:
    return cast("dict[str, str]", json.loads(path.read_text()))


def _mod97(code: str) -> bool:
    return int("".join(str(int(c, 36)) for c in code[4:] + code[:4])) % 97 == 1


def _kek(text: str) -> bytes | None:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == KEK_BYTES else None


def _port(env: Mapping[str, str]) -> tuple[int, list[str]]:
    text = env.get("PORT", "8000")
    if text.isdecimal() and 1 <= int(text) <= 65535 - SIMULATOR_CONTROL:
        return int(text), []
    return 0, [f"PORT is {text!r}, not a port number"]


def _var(env: Mapping[str, str]) -> Path:
    return Path(env.get("KONTOR_VAR", ROOT / "var")).resolve()


def _libpq(url: str) -> str:
    return re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", url)
