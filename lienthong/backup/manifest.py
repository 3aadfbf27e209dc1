"""
What a backup holds, written last: without it, or with one byte changed anywhere, a backup is refused.

`manifest.json` names every file with its size and SHA-256, and ends with the SHA-256 of the rest of itself. The folder
of the keys has another one, with the id of the backup, so that keys of another backup are not taken for the ones of
this.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from lienthong.stack.private_files import write_private
from streams.errors import InputError

__all__ = ["FORMAT", "KeysManifest", "Manifest", "SavedFile", "SavedPartition", "SavedTable", "SavedTopic"]

FORMAT = 1
"""The form of a backup that this program writes and reads."""

_NAME = "manifest.json"
_CHUNK_BYTES = 1 << 20


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SavedFile(_Part):
    """A file's size and SHA-256 in hexadecimal."""

    size_bytes: int
    sha256: str


class SavedPartition(_Part):
    """
    A partition's records: offsets from `low` to below `high`; `records` of them are there.

    `unreadable_headers` counts records whose header names are no text: their headers are not in the backup.
    """

    low: int
    high: int
    records: int
    unreadable_headers: int


class SavedTopic(_Part):
    """A topic: the settings it was made with, and its partitions in order."""

    config: Mapping[str, str]
    partitions: tuple[SavedPartition, ...]


class SavedTable(_Part):
    """A table's rows and canonical hash."""

    rows: int
    sha256: str


class _Sealed(_Part):
    """What both manifests have."""

    format: int
    backup_id: str
    files: Mapping[str, SavedFile]

    def write(self, folder: Path) -> None:
        """Write it into a folder, whole or not at all."""
        content = self.model_dump(mode="json")
        text = json.dumps({**content, "manifest_sha256": _digest(content)}, indent=1, ensure_ascii=False)
        write_private(folder / _NAME, text + "\n")

    def check_files(self, folder: Path) -> None:
        """
        Compare every file with what is said of it.

        Raises:
            InputError: one is missing or changed.
        """
        for name, saved in sorted(self.files.items()):
            path = folder / name
            if not path.is_file() or path.is_symlink():
                raise InputError(f"The backup is not whole: {path} is missing. Use another copy.")
            if saved_file(path) != saved:
                raise InputError(f"The backup is damaged: {path} is not what it was. Use another copy.")


class Manifest(_Sealed):
    """
    All that a backup says about itself.

    Args:
        made_at: when, ISO 8601.
        program: the version that made it.
        postgres: the server's version.
        topics: by name.
        groups: committed offsets by consumer group, topic and partition.
        tables: rows and canonical hash by database schema and table.
        canonical: one hash for each database schema.
        schema_ids: the registry's ids by subject and version.
    """

    made_at: str
    program: str
    postgres: str
    topics: Mapping[str, SavedTopic]
    groups: Mapping[str, Mapping[str, Mapping[str, int]]]
    tables: Mapping[str, Mapping[str, SavedTable]]
    canonical: Mapping[str, str]
    schema_ids: Mapping[str, Mapping[str, int]]

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read a backup's; InputError when there is none, or it is damaged."""
        return _read(cls, folder)


class KeysManifest(_Sealed):
    """What the keys' folder says about itself."""

    @classmethod
    def read(cls, folder: Path) -> KeysManifest:
        """Read it; InputError when there is none, or it is damaged."""
        return _read(cls, folder)


def saved_file(path: Path) -> SavedFile:
    """Measure a file."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
    return SavedFile(size_bytes=size, sha256=digest.hexdigest())


def files_in(folder: Path) -> dict[str, SavedFile]:
    """Measure all files below a folder but the manifest itself."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and path != folder / _NAME)
    return {path.relative_to(folder).as_posix(): saved_file(path) for path in found}


_Kind = TypeVar("_Kind", bound=_Sealed)


def _read(kind: type[_Kind], folder: Path) -> _Kind:
    path = folder / _NAME
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        said = content.pop("manifest_sha256", None)
        if content.get("format") != FORMAT:
            raise InputError(f"{path} has the form {content.get('format')} and this program reads {FORMAT}.")
        if said != _digest(content):
            raise InputError(f"The backup is damaged: {path} is not what it was. Use another copy.")
        manifest = kind.model_validate(content)
    except FileNotFoundError as error:
        raise InputError(f"{folder} is no whole backup: it has no {_NAME}.") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(f"The backup is damaged: {path} cannot be read. Use another copy.") from error
    for name in manifest.files:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise InputError(f"{path} names a file outside its folder: '{name}'.")
    return manifest


def _digest(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
