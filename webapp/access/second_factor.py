"""The second factor: codes of an authenticator app (TOTP, RFC 6238) and recovery codes. A secret is
stored sealed only, a code works once, and the time is the database's."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from flask import current_app
from sqlalchemy import BigInteger, delete, func, insert, literal_column, select, update

from webapp.access import throttle
from webapp.access.permissions import SECOND_FACTOR, Role
from webapp.models import RecoveryCode, Staff, db

SECRET_BYTES: Final = 20
DIGITS: Final = 6
STEP_SECONDS: Final = 30
# Telephones go wrong by some seconds, and people type slowly.
WINDOW: Final = (0, -1, 1)
RECOVERY_CODES: Final = 10
RECOVERY_BYTES: Final = 10
CODE_CHARS_MAX: Final = 40
PAIR_TRIES: Final = 5
PERSON_TRIES: Final = 30
NONCE_BYTES: Final = 12
_STEP: Final = literal_column(
    f"floor(extract(epoch FROM clock_timestamp()) / {STEP_SECONDS})::bigint", BigInteger
)


def needed(staff: Staff) -> bool:
    """Whether a right password is not enough: the role asks for more, or the person does."""
    return staff.totp_sealed is not None or Role(staff.role) in SECOND_FACTOR


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def code_at(secret: bytes, step: int) -> str:
    # Authenticator apps know SHA-1 only; HMAC does not suffer from its collisions.
    return TOTP(secret, DIGITS, SHA1(), STEP_SECONDS).generate(step * STEP_SECONDS).decode()  # noqa: S303 - RFC 6238


def address(secret: bytes, login: str, house: str) -> str:
    """The otpauth:// address that the square code holds."""
    return TOTP(secret, DIGITS, SHA1(), STEP_SECONDS).get_provisioning_uri(login, house)  # noqa: S303 - RFC 6238


def as_text(secret: bytes) -> str:
    """The secret for people who type it: base32 in groups of four."""
    plain = base64.b32encode(secret).decode()
    return " ".join(plain[at : at + 4] for at in range(0, len(plain), 4))


def stored(staff: Staff) -> bytes | None:
    return _open(staff.totp_sealed, _owner(staff)) if staff.totp_sealed else None


def keep(staff: Staff, secret: bytes, step: int | None = None) -> None:
    """From now on this secret proves that person; `step` is the code that showed it works."""
    staff.totp_sealed, staff.totp_step = _seal(secret, _owner(staff)), step


def candidate(secret: bytes, csrf: str) -> str:
    """A secret that is being set up, sealed for the form of this session: nothing is stored
    before a code of it was right, and the form of another session does not open."""
    return base64.urlsafe_b64encode(_seal(secret, b"candidate:" + csrf.encode())).decode()


def read_candidate(sent: str, csrf: str) -> bytes | None:
    try:
        return _open(base64.urlsafe_b64decode(sent.encode()), b"candidate:" + csrf.encode())
    except (InvalidTag, binascii.Error, ValueError):
        return None


def set_up(staff: Staff, secret: bytes, code: str) -> list[str] | None:
    """Recovery codes for the new secret, or None when the code is not one of it. The caller
    commits."""
    step = _matching(secret, _plain(code), now_step())
    if step is None:
        return None
    keep(staff, secret, step)
    return new_recovery_codes(staff.id)


def clear(staff_id: str) -> None:
    """No second factor any more. The caller commits."""
    db.session.execute(
        update(Staff).where(Staff.id == staff_id).values(totp_sealed=None, totp_step=None)
    )
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))


def new_recovery_codes(staff_id: str) -> list[str]:
    """Ten new ones; the older ones are dead. Only their hashes are stored. The caller commits."""
    codes = [secrets.token_bytes(RECOVERY_BYTES) for _ in range(RECOVERY_CODES)]
    plain = [base64.b32encode(code).decode().lower() for code in codes]
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))
    db.session.execute(
        insert(RecoveryCode),
        [{"staff_id": staff_id, "code_sha256": _recovery(staff_id, code)} for code in plain],
    )
    return ["-".join(code[at : at + 4] for at in range(0, len(code), 4)) for code in plain]


def recovery_codes_left(staff_id: str) -> int:
    counted = select(func.count()).where(RecoveryCode.staff_id == staff_id)
    return int(db.session.scalar(counted) or 0)


def count_try(staff_id: str, network: str) -> bool:
    """Whether this try may go on; a code has a million values, so tries are few."""
    pair, person = _keys(staff_id, network)
    return throttle.count([(pair, PAIR_TRIES), (person, PERSON_TRIES)])


def accept(staff: Staff, typed: str, network: str) -> bool:
    """Whether this code, counted before by `count_try`, proves the person. It never does again."""
    code = _plain(typed)
    right = _take_code(staff, code) if code.isdigit() else _take_recovery(staff.id, code)
    db.session.commit()
    if right:
        throttle.forget(*_keys(staff.id, network))
    return right


def next_code(secret: bytes, used: int | None) -> str | None:
    """The code that works now; None until the next one begins. For the sandbox's own people."""
    now = now_step()
    step = now if used is None or used < now else used + 1
    return code_at(secret, step) if step <= now + max(WINDOW) else None


def now_step() -> int:
    return int(db.session.execute(select(_STEP)).scalar_one())


def _take_code(staff: Staff, code: str) -> bool:
    secret = stored(staff)
    step = _matching(secret, code, now_step()) if secret else None
    if step is None:
        return False
    # Two browsers with the same code: one row changes once.
    taken = db.session.execute(
        update(Staff)
        .where(Staff.id == staff.id, func.coalesce(Staff.totp_step, 0) < step)
        .values(totp_step=step)
        .returning(Staff.id)
    )
    return taken.one_or_none() is not None


def _take_recovery(staff_id: str, code: str) -> bool:
    taken = db.session.execute(
        delete(RecoveryCode)
        .where(
            RecoveryCode.staff_id == staff_id,
            RecoveryCode.code_sha256 == _recovery(staff_id, code),
        )
        .returning(RecoveryCode.staff_id)
    )
    return taken.one_or_none() is not None


def _matching(secret: bytes, code: str, now: int) -> int | None:
    """The step whose code this is. Every step of the window is compared, in constant time."""
    steps = [now + offset for offset in WINDOW]
    same = [hmac.compare_digest(code_at(secret, step).encode(), code.encode()) for step in steps]
    return next((step for step, equal in zip(steps, same, strict=True) if equal), None)


def _plain(typed: str) -> str:
    return "".join(sign for sign in typed[:CODE_CHARS_MAX] if sign.isascii() and sign.isalnum())


def _recovery(staff_id: str, code: str) -> bytes:
    """80 random bits need no slow hash; the person's id keeps equal codes apart."""
    return hashlib.sha256(f"{staff_id}:{code.lower()}".encode()).digest()


def _keys(staff_id: str, network: str) -> tuple[str, str]:
    return throttle.key("code", network, staff_id), throttle.key("code-person", staff_id)


def _owner(staff: Staff) -> bytes:
    return b"staff:" + staff.id.encode()


def _seal(clear_bytes: bytes, owner: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(_key()).encrypt(nonce, clear_bytes, owner)


def _open(sealed: bytes, owner: bytes) -> bytes:
    return AESGCM(_key()).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], owner)


def _key() -> bytes:
    """A key of its own under the key-encryption key: what is sealed here opens nothing there."""
    kek: bytes = current_app.extensions["kontor.settings"].kek
    return HKDF(SHA256(), 32, None, b"kontor second factor").derive(kek)
