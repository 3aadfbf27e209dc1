"""Small file systems in memory, for disks that are full. They need root."""

from __future__ import annotations

import contextlib
import errno
import subprocess
from collections.abc import Iterator
from pathlib import Path

__all__ = ["CannotMountError", "fill", "free", "small_disk"]

_JUNK = "junk.of.the.faults"
_BLOCK = b"\0" * (1 << 20)


class CannotMountError(RuntimeError):
    """This user may mount nothing, so a full disk cannot be tried here: run as root."""


@contextlib.contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[None]:
    """
    Mount a small file system on a folder.

    Raises:
        CannotMountError: this user may not.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", str(folder)]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    if ran.returncode:
        raise CannotMountError(f"{' '.join(command)}: {ran.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def fill(folder: Path) -> None:
    """Write until nothing fits any more."""
    with (folder / _JUNK).open("wb", buffering=0) as junk:
        for block in (_BLOCK, _BLOCK[:4096], b"\0"):
            try:
                while True:
                    if junk.write(block) < len(block):
                        break
            except OSError as full:
                if full.errno != errno.ENOSPC:
                    raise


def free(folder: Path) -> None:
    """Make room again."""
    (folder / _JUNK).unlink()
