"""Put a backup back onto an empty data folder and empty servers; everything is checked before anything is touched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from connectors.postgres import TableHash, whole_hash
from lienthong.backup.database import KEY_TABLES, hash_database, put_database_back
from lienthong.backup.files import copy_files
from lienthong.backup.manifest import KeysManifest, Manifest
from lienthong.backup.schemas_saved import put_schemas_back
from lienthong.backup.topics_back import put_groups_back, put_topics_back
from lienthong.directory import LiveDirectory
from lienthong.installation import UNFINISHED
from lienthong.provision import Servers, provision
from lienthong.stack import Progress, RegistryRight
from lienthong.stack.private_files import make_private_folder, write_private
from streams.errors import ConfigurationError, InputError
from streams.names import BUS

__all__ = ["restore_backup"]


def restore_backup(
    data: Path, start: Callable[[], Servers], folder: Path, keys: Path | None, *, progress: Progress
) -> Manifest:
    """
    Restore an installation; its workers are not started.

    Args:
        data: the folder to be; new or empty.
        start: starts the empty servers, or says where they are; called after the backup was found whole.
        folder: the backup.
        keys: the keys of that backup; without them nobody can open what is sealed, and officers need new keys.
        progress: told what goes on.

    Returns:
        What was restored.

    Raises:
        InputError: the backup is damaged or not whole, the keys are another backup's, or `data` is not empty.
        ConfigurationError: a server is not empty, or what was restored is not what was saved.
        TransientError: a server is away; empty the folder and try again.
    """
    manifest = Manifest.read(folder)
    progress.step("backup", "checking every file")
    manifest.check_files(folder)
    if keys is not None:
        _check_keys(keys, manifest)
    progress.done("backup")
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise InputError(f"{data} is not empty: restore to a new folder (--data).")
    make_private_folder(data)
    write_private(data / UNFINISHED, f"restore of {manifest.backup_id} has begun and is not finished\n")
    for source in (folder, *([keys] if keys is not None else [])):
        files = sorted(path for path in (source / "files").rglob("*") if path.is_file())
        copy_files(files, source=source / "files", target=data)
    servers = start()
    put_schemas_back(servers.registry(RegistryRight.SAVE_AND_RESTORE), manifest.schema_ids, folder)
    put_topics_back(servers.kafka, manifest.topics, folder / "topics", progress=progress)
    put_groups_back(servers.kafka, manifest.groups)
    progress.step("database", "putting it back")
    members = [BUS, *sorted(LiveDirectory(data)().agencies)]
    put_database_back(servers, members, folder, keys)
    _compare(manifest, hash_database(servers), with_keys=keys is not None)
    progress.done("database")
    provision(servers, progress=progress)
    (data / UNFINISHED).unlink()
    return manifest


def _check_keys(keys: Path, manifest: Manifest) -> None:
    kept = KeysManifest.read(keys)
    if kept.backup_id != manifest.backup_id:
        raise InputError(f"The keys in {keys} are those of another backup: name the ones that were made with this one.")
    kept.check_files(keys)


def _compare(manifest: Manifest, found: Mapping[str, Mapping[str, TableHash]], *, with_keys: bool) -> None:
    """Compare what is in PostgreSQL now with what was saved, table by table."""
    wrong = []
    for schema, tables in manifest.tables.items():
        for name, saved in tables.items():
            if f"{schema}.{name}" in KEY_TABLES and not with_keys:
                continue
            now = found.get(schema, {}).get(name)
            if now is None or (now.rows, now.sha256) != (saved.rows, saved.sha256):
                wrong.append(f"{schema}.{name}")
    if wrong:
        raise ConfigurationError(f"What was restored is not what was saved: {', '.join(wrong)}.")
    if with_keys and {schema: whole_hash(tables) for schema, tables in found.items()} != manifest.canonical:
        raise ConfigurationError("The database has other schemas than the backup.")
