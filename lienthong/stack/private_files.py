"""Folders and files that only their owner may read, written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from streams.errors import ConfigurationError

__all__ = ["explain_full_disk", "locked", "make_private_folder", "require_free_space", "write_private"]

SPACE_NEEDED_BYTES = 1_000_000_000
"""Free space that a stack wants to see before it starts or downloads anything."""


def make_private_folder(folder: Path) -> Path:
    """
    Make a folder with mode 0700, and its parents as the system likes; an existing one is left as it is.

    Returns:
        The same folder.

    Raises:
        ConfigurationError: a file is in the way, or the place may not be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise ConfigurationError(
            f"The folder {folder} cannot be made ({error.strerror}): choose another one."
        ) from error
    return folder


def write_private(path: Path, text: str) -> None:
    """Replace a file, with mode 0600: a reader sees the old text or the new one, never a part."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def locked(path: Path, *, when_waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """
    Hold a lock file against other processes; freed when the holder ends, however it ends.

    Args:
        path: the lock file; made when absent, never removed.
        when_waiting: called once if somebody else holds it now.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if when_waiting is not None:
                when_waiting()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def require_free_space(folder: Path, *, setting: str, needed_bytes: int = SPACE_NEEDED_BYTES) -> None:
    """
    Refuse to go on where the disk is nearly full.

    Args:
        folder: where something will be written; it need not exist yet.
        setting: what to change in order to write elsewhere.
        needed_bytes: how much must be free.

    Raises:
        ConfigurationError: less than that is free.
    """
    existing = folder
    while not existing.exists():
        existing = existing.parent
    free_bytes = shutil.disk_usage(existing).free
    if free_bytes < needed_bytes:
        raise ConfigurationError(
            f"Only {free_bytes // 1_000_000} MB are free at {folder} and {needed_bytes // 1_000_000} MB are needed: "
            f"free some space, or set {setting} to a folder on another disk.",
            code="disk_full",
        )


@contextlib.contextmanager
def explain_full_disk(folder: Path) -> Iterator[None]:
    """
    Turn the system's "no space left" into a sentence.

    Raises:
        ConfigurationError: the disk or the quota is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise ConfigurationError(
            f"The disk that holds {folder} is full: free some space and start again.", code="disk_full"
        ) from error
