"""
Make a backup: one consistent state, in an order that keeps it consistent even while something still runs.

First how far consumer groups are, then PostgreSQL in one snapshot, then the topics to their present end. So whatever a
group is past has its effect in PostgreSQL, and whatever PostgreSQL says is published lies on the topics. The other way
round would lose something; this way at most a repeat comes, which is known by its id.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

from connectors.postgres import whole_hash
from lienthong.backup.database import save_database
from lienthong.backup.files import copy_files, key_files, plain_files, private_tree
from lienthong.backup.manifest import FORMAT, KeysManifest, Manifest, SavedTable, files_in
from lienthong.backup.schemas_saved import save_schemas
from lienthong.backup.topics import group_offsets, save_topics
from lienthong.installation import workers
from lienthong.provision import Servers
from lienthong.stack import Progress, RegistryRight
from lienthong.stack.private_files import explain_full_disk
from lienthong.supervisor import start_supervisor, stop_supervisor, supervisor_status
from streams.errors import InputError

__all__ = ["make_backup"]


def make_backup(data: Path, servers: Servers, folder: Path, keys: Path | None, *, progress: Progress) -> Manifest:
    """
    Save an installation; its own workers rest meanwhile and go on afterwards.

    Args:
        data: the installation's folder.
        servers: its servers, running.
        folder: gets the backup; new or empty.
        keys: gets the keys; new or empty, and not inside `folder`. None leaves them out.
        progress: told what goes on.

    Returns:
        What was saved.

    Raises:
        InputError: a folder is not empty, or the keys would lie in the backup.
        ConfigurationError: a server's dump failed, or the disk is full.
        TransientError: a server is away; what was begun is no backup, for it has no manifest.
    """
    for each in (folder, keys):
        if each is not None:
            _make_empty(each)
    if keys is not None and (keys.resolve().is_relative_to(folder.resolve()) or keys.resolve() == folder.resolve()):
        raise InputError("Keys must not lie in the backup: name another folder with --keys.")
    with explain_full_disk(folder), _resting(data, progress):
        return _save(data, servers, folder, keys, progress)


def _save(data: Path, servers: Servers, folder: Path, keys: Path | None, progress: Progress) -> Manifest:
    groups = group_offsets(servers.kafka)
    progress.step("database", "saving")
    database = save_database(servers, folder, keys)
    progress.done("database")
    topics = save_topics(servers.kafka, folder / "topics", progress=progress)
    ids = save_schemas(servers.registry(RegistryRight.SAVE_AND_RESTORE), folder)
    progress.step("files", "saving")
    copy_files(plain_files(data), source=data, target=folder / "files")
    backup_id = str(uuid4())
    if keys is not None:
        copy_files(key_files(data), source=data, target=keys / "files")
        private_tree(keys)
        KeysManifest(format=FORMAT, backup_id=backup_id, files=files_in(keys)).write(keys)
    private_tree(folder)
    manifest = Manifest(
        format=FORMAT,
        backup_id=backup_id,
        files=files_in(folder),
        made_at=datetime.now(UTC).isoformat(),
        program=version("lienthong"),
        postgres=database.version,
        topics=topics,
        groups=groups,
        tables={
            schema: {name: SavedTable(**asdict(each)) for name, each in tables.items()}
            for schema, tables in database.tables.items()
        },
        canonical={schema: whole_hash(tables) for schema, tables in database.tables.items()},
        schema_ids=ids,
    )
    os.sync()  # the manifest says that all of it is there, so all of it is on the disk before
    manifest.write(folder)
    progress.done("files")
    return manifest


def _make_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is not empty: name a new folder.")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)


@contextmanager
def _resting(data: Path, progress: Progress) -> Iterator[None]:
    """Keep this machine's workers still, if they run."""
    if supervisor_status(data)[0].state != "running":
        yield
        return
    progress.step("workers", "resting until the backup is made")
    stop_supervisor(data)
    try:
        yield
    finally:
        start_supervisor(data, workers(data))
        progress.done("workers")
