"""Settings: a sandbox needs nothing, production says everything that is missing or left over."""

from __future__ import annotations

import base64
import json
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from config import HAFENLICHT, HOUSE_ENV, ROOT, SECRET_CHARS_MIN, ConfigError, Settings


def _creditor_id(national: str) -> str:
    digits = int("".join(str(int(c, 36)) for c in f"{national}DE00"))
    return f"DE{98 - digits % 97:02d}ZZZ{national}"


GOOD = {
    "KONTOR_MODE": "production",
    "DATABASE_URL": "postgres://kontor@db.internal/kontor",
    "REDIS_URL": "rediss://redis.internal:6379/0",
    "KONTOR_SECRET_KEY": "kY3vT8qLw0ZrXn5cBf7GhJ2mPaDsE9uV4i6o",
    "KONTOR_KEK": base64.b64encode(bytes(range(32))).decode(),
    "STRIPE_API_KEY": "sk_live_51JqXyZabcdefghijk",
    "STRIPE_WEBHOOK_SECRET": "whsec_0123456789abcdef0123456789abcdef",
    "KONTOR_ALLOWED_HOSTS": "kontor.elbe-versicherung.de, intern",
    "KONTOR_HOUSE_NAME": "Elbe Versicherung AG",
    "KONTOR_HOUSE_STREET": "Jungfernstieg 1",
    "KONTOR_HOUSE_POSTCODE": "20354",
    "KONTOR_HOUSE_CITY": "Hamburg",
    "KONTOR_HOUSE_EMAIL": "post@elbe-versicherung.de",
    "KONTOR_HOUSE_CREDITOR_ID": _creditor_id("01234567890"),
    "KONTOR_HOUSE_INSURANCE_TAX_NUMBER": "807/V90807001234",
    "KONTOR_HOUSE_IBAN": "DE89 3704 0044 0532 0130 00",
    "KONTOR_HOUSE_BIC": "COBADEFFXXX",
}


@pytest.fixture
def var(tmp_path: Path) -> dict[str, str]:
    return {"KONTOR_VAR": str(tmp_path / "the data")}


def refused(environment: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        Settings.from_env(environment)
    return caught.value.reasons


def test_a_sandbox_needs_nothing(var: dict[str, str]) -> None:
    settings = Settings.from_env(var)
    assert (settings.mode, settings.url) == ("sandbox", "http://127.0.0.1:8000")
    assert settings.hook_url == "http://127.0.0.1:8000/hooks/stripe"
    assert settings.stripe_api_base == "http://127.0.0.1:8001"
    assert settings.simulator_control == "http://127.0.0.1:8002"
    assert settings.house == HAFENLICHT
    assert len(settings.kek) == 32
    assert settings.stripe_api_key.startswith("sk_test_")


def test_the_data_folder_is_var_beside_the_code_unless_named() -> None:
    with pytest.raises(ConfigError):
        Settings.from_env({"PORT": "x"})  # refused before anything is written
    assert Settings.from_env({**GOOD}).var == ROOT / "var"


def test_a_sandbox_keeps_its_secrets_private_and_forever(var: dict[str, str]) -> None:
    first = Settings.from_env(var)
    path = first.var / "secrets"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Settings.from_env(var) == first
    assert list(first.var.iterdir()) == [path]


def test_an_older_sandbox_gets_the_secrets_it_lacks(var: dict[str, str]) -> None:
    """One from before the metrics page existed would answer 404 there for ever."""
    path = Settings.from_env(var).var / "secrets"
    made = json.loads(path.read_text())
    older = {name: value for name, value in made.items() if name != "KONTOR_METRICS_TOKEN"}
    path.write_text(json.dumps({**older, "OURS": "kept"}))
    with ThreadPoolExecutor(8) as pool:
        starts = list(pool.map(lambda _n: Settings.from_env(var), range(8)))
    assert len({one.metrics_token for one in starts}) == 1
    now = json.loads(path.read_text())
    assert len(now.pop("KONTOR_METRICS_TOKEN")) >= SECRET_CHARS_MIN
    assert now == {**older, "OURS": "kept"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_production_adds_nothing_to_a_sandboxs_secrets(var: dict[str, str]) -> None:
    path = Settings.from_env(var).var / "secrets"
    path.write_text("{}")
    assert Settings.from_env({**GOOD, **var}).metrics_token == ""
    assert path.read_text() == "{}"


def test_two_sandboxes_share_no_secret(tmp_path: Path) -> None:
    one, two = (Settings.from_env({"KONTOR_VAR": str(tmp_path / name)}) for name in "ab")
    for name in ("secret_key", "kek", "stripe_api_key", "stripe_webhook_secret"):
        assert getattr(one, name) != getattr(two, name)


def test_settings_show_no_secret(var: dict[str, str]) -> None:
    settings = Settings.from_env({**var, "DATABASE_URL": "postgresql://kontor:hush@/kontor"})
    secrets = json.loads((settings.var / "secrets").read_text()).values()
    assert not [secret for secret in (*secrets, "hush") if secret in repr(settings)]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("KONTOR_MODE", "live", "neither sandbox nor production"),
        ("PORT", "eighty", "not a port number"),
        ("PORT", "65534", "not a port number"),
        ("KONTOR_HOST", "0.0.0.0", "loopback"),
        ("STRIPE_API_BASE", "https://api.stripe.com", "loopback"),
        ("KONTOR_SIMULATOR_CONTROL", "http://10.0.0.1:1", "loopback"),
        ("STRIPE_API_KEY", "sk_live_abc", "live key"),
        ("KONTOR_KEK", "c2hvcnQ=", "32 random bytes"),
    ],
)
def test_a_sandbox_refuses(var: dict[str, str], name: str, value: str, says: str) -> None:
    (reason,) = refused({**var, name: value})
    assert name in reason
    assert says in reason
    assert not Path(var["KONTOR_VAR"]).exists()


def test_production_takes_its_own_values(var: dict[str, str]) -> None:
    settings = Settings.from_env({**GOOD, **var})
    assert settings.database_url == "postgresql://kontor@db.internal/kontor"
    assert settings.sqlalchemy_url == "postgresql+psycopg://kontor@db.internal/kontor"
    assert settings.kek == bytes(range(32))
    assert settings.house.iban == "DE89370400440532013000"
    assert settings.stripe_api_base == "https://api.stripe.com"
    assert settings.simulator_control == ""
    assert settings.allowed_hosts == ("kontor.elbe-versicherung.de", "intern")
    assert not Path(var["KONTOR_VAR"]).exists()


def test_production_names_everything_missing_at_once(var: dict[str, str]) -> None:
    reasons = refused({"KONTOR_MODE": "production", **var})
    names = GOOD.keys() - {"KONTOR_MODE"}
    assert set(reasons) == {f"{name} is missing" for name in names}


@pytest.mark.parametrize("name", sorted(GOOD.keys() - {"KONTOR_MODE"}))
def test_production_cannot_do_without(var: dict[str, str], name: str) -> None:
    assert refused({**GOOD, **var, name: " "}) == (f"{name} is missing",)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DATABASE_URL", "sqlite:///kontor.db", "no PostgreSQL URL"),
        ("REDIS_URL", "localhost", "no Redis URL"),
        ("KONTOR_SECRET_KEY", "change-me-change-me-change-me-change-me", "default value"),
        ("KONTOR_SECRET_KEY", "my-default-secret-key-0123456789abc", "default value"),
        ("KONTOR_SECRET_KEY", "a" * 64, "not a secret"),
        ("KONTOR_SECRET_KEY", "kY3vT8qLw0", "not a secret"),
        ("KONTOR_KEK", base64.b64encode(bytes(32)).decode(), "32 random bytes"),
        ("KONTOR_KEK", "not base64!", "32 random bytes"),
        ("STRIPE_API_KEY", "sk_test_51JqXyZabcdefghijk", "sandbox key"),
        ("STRIPE_API_KEY", "pk_live_51JqXyZabcdefghijk", "not a live secret key"),
        ("STRIPE_WEBHOOK_SECRET", "secret", "not a webhook secret"),
        ("STRIPE_API_BASE", "http://127.0.0.1:8001", "not the provider's own"),
        ("STRIPE_API_BASE", "https://api.stripe.com.evil.example", "not the provider's own"),
        ("KONTOR_SIMULATOR_CONTROL", "http://127.0.0.1:8002", "no simulator"),
        ("KONTOR_HOUSE_IBAN", "DE88370400440532013000", "check digits"),
        ("KONTOR_HOUSE_CREDITOR_ID", "DE97ZZZ01234567890", "check digits"),
        ("KONTOR_HOUSE_IBAN", HAFENLICHT.iban, "sandbox's value"),
        ("KONTOR_HOUSE_CREDITOR_ID", HAFENLICHT.creditor_id, "sandbox's value"),
        ("KONTOR_HOUSE_NAME", HAFENLICHT.name, "sandbox's value"),
        ("PORT", "0", "not a port number"),
    ],
)
def test_production_refuses(var: dict[str, str], name: str, value: str, says: str) -> None:
    (reason,) = refused({**GOOD, **var, name: value})
    assert name in reason
    assert says in reason


def test_production_refuses_the_secrets_a_sandbox_made_in_the_same_folder(
    var: dict[str, str],
) -> None:
    sandbox = Settings.from_env(var)
    made = json.loads((sandbox.var / "secrets").read_text())
    reasons = refused({**GOOD, **var, **made})
    assert sorted(reasons) == [f"{name} is the sandbox's value" for name in sorted(made)]


def test_a_refusal_shows_no_secret(var: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.from_env({**GOOD, **var, "STRIPE_API_KEY": "sk_test_hush", "PORT": "x"})
    assert "sk_test_hush" not in str(caught.value)
    assert "production" in str(caught.value)


def test_the_sandboxs_house_has_valid_check_digits() -> None:
    assert _creditor_id("09999999999") == HAFENLICHT.creditor_id
    moved = HAFENLICHT.iban[4:] + HAFENLICHT.iban[:4]
    assert int(re.sub(r"[A-Z]", lambda m: str(int(m[0], 36)), moved)) % 97 == 1
    assert set(HOUSE_ENV) == set(HAFENLICHT.__dataclass_fields__)
