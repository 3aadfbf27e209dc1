"""The directory as it is now: shipped entries and this installation's officers, read again when a file changes."""

from __future__ import annotations

from pathlib import Path

import schemas
from streams.directory import Directory, load_directory

__all__ = ["LiveDirectory", "overlay_folder"]


def overlay_folder(data: Path) -> Path:
    """Say where an installation keeps the officers that it added."""
    return data / "directory"


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
