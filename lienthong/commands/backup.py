"""`lienthong backup` and `lienthong restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lienthong.backup import Manifest, make_backup, restore_backup
from lienthong.commands.options import Data, Json, chosen_data
from lienthong.installation import require_servers, servers_of, start_empty
from lienthong.output import json_line, table
from lienthong.stack import progress_on

__all__ = ["add_to"]

Folder = Annotated[Path, typer.Argument(help="The backup's folder.")]
Keys = Annotated[
    Path | None, typer.Option("--keys", help="A folder of its own for the keys; without it they are left out.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("backup")(backup)
    app.command("restore")(restore)


def backup(folder: Folder, keys: Keys = None, data: Data = None, json: Json = False) -> None:  # noqa: FBT002 -- a flag
    """Save topics, PostgreSQL, registry and documents; the workers of this machine rest meanwhile."""
    chosen = chosen_data(data)
    require_servers(chosen)
    with progress_on() as progress:
        made = make_backup(chosen, servers_of(chosen), _absolute(folder), _absolute(keys), progress=progress)
    _show("Saved", made, json=json)


def restore(folder: Folder, keys: Keys = None, data: Data = None, json: Json = False) -> None:  # noqa: FBT002 -- a flag
    """Put a backup back onto an empty data folder and start its servers; `lienthong up` starts the workers then."""
    chosen = chosen_data(data)
    with progress_on() as progress:
        made = restore_backup(
            chosen,
            lambda: start_empty(chosen, progress=progress),
            _absolute(folder),
            _absolute(keys),
            progress=progress,
        )
    _show("Restored", made, json=json)


def _absolute(folder: Any) -> Any:
    return None if folder is None else folder.expanduser().absolute()


def _show(title: str, manifest: Manifest, *, json: bool) -> None:
    row = _row(manifest)
    if json:
        json_line(row)
        return
    canonical = row.pop("canonical")
    table(title, ("", ""), [(name, str(value)) for name, value in row.items()])
    table("Canonical hashes", ("schema", "SHA-256"), list(canonical.items()))


def _row(manifest: Manifest) -> dict[str, Any]:
    partitions = [one for topic in manifest.topics.values() for one in topic.partitions]
    return {
        "backup_id": manifest.backup_id,
        "made_at": manifest.made_at,
        "program": manifest.program,
        "topics": len(manifest.topics),
        "records": sum(each.records for each in partitions),
        "unreadable_headers": sum(each.unreadable_headers for each in partitions),
        "rows": sum(each.rows for tables in manifest.tables.values() for each in tables.values()),
        "schemas": sum(len(versions) for versions in manifest.schema_ids.values()),
        "files": len(manifest.files),
        "size_bytes": sum(each.size_bytes for each in manifest.files.values()),
        "canonical": manifest.canonical,
    }
