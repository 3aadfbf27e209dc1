"""Files of the data folder: what goes into a backup, what goes with the keys, and where both lie."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

__all__ = ["copy_files", "key_files", "plain_files", "private_tree"]

_PLAIN = ("documents/**/*", "directory/**/*", "schema-ids.json", "agencies/*/outgoing/**/*", "agencies/*/scans/**/*")
_KEYS = ("documents.key", "agencies/*/settings.toml", "agencies/*/officers/*.pem")
_OWNER_ONLY, _OWNER_ONLY_FOLDER = 0o600, 0o700


def plain_files(data: Path) -> list[Path]:
    """Give the files of a backup: sealed documents, public keys of officers, schema ids, what connectors wrote."""
    return sorted(_matching(data, _PLAIN))


def key_files(data: Path) -> list[Path]:
    """Give the files that open what is sealed or let somebody act: officers' keys, the documents' key, passwords."""
    return sorted(_matching(data, _KEYS))


def copy_files(files: list[Path], *, source: Path, target: Path) -> None:
    """Copy files to the same places below another folder, for their owner alone."""
    for path in files:
        to = target / path.relative_to(source)
        to.parent.mkdir(parents=True, exist_ok=True, mode=_OWNER_ONLY_FOLDER)
        shutil.copyfile(path, to, follow_symlinks=False)
    private_tree(target)


def private_tree(folder: Path) -> None:
    """Let nobody but the owner into a folder and what is below it."""
    folder.chmod(_OWNER_ONLY_FOLDER)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(_OWNER_ONLY_FOLDER if path.is_dir() else _OWNER_ONLY)


def _matching(data: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        yield from (path for path in data.glob(pattern) if path.is_file() and not path.is_symlink())
