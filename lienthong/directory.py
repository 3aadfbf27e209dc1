"""
The directory as it is now: shipped entries and this installation's officers, read again when a file changes.

What contradicts itself in them is found here, too, with the handlers that ship.
"""

from __future__ import annotations

from pathlib import Path

import schemas
from agents import KINDS
from streams.catalogue import load_catalogue
from streams.directory import Directory, load_directory
from streams.directory_rules import Finding, check_directory

__all__ = ["LiveDirectory", "contradictions", "overlay_folder"]


def overlay_folder(data: Path) -> Path:
    """Say where an installation keeps the officers that it added."""
    return data / "directory"


def contradictions(data: Path) -> list[Finding]:
    """Find what contradicts itself in the shipped directory, the law and an installation's officers."""
    return check_directory(load_catalogue(), KINDS, overlay=overlay_folder(data))


class LiveDirectory:
    """
    Gives the directory, and reads it again when an officer was added.

    Args:
        data: the installation's data folder.
    """

    def __init__(self, data: Path) -> None:
        self._overlay = overlay_folder(data)
        self._shipped = [path for path, _ in schemas.directory_files()]
        self._seen = self._stamp()
        self._directory = load_directory(self._overlay)

    def __call__(self) -> Directory:
        """Give the directory as it is now."""
        stamp = self._stamp()
        if stamp != self._seen:
            self._directory = load_directory(self._overlay)
            self._seen = stamp
        return self._directory

    def _stamp(self) -> tuple[tuple[str, int], ...]:
        added = sorted(self._overlay.glob("*/*.toml"))
        return tuple((str(path), path.stat().st_mtime_ns) for path in [*self._shipped, *added])
