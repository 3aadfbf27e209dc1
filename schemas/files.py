"""
Where the contract's files are: event types, shared types, directory, law.

This package holds data; whoever reads it gets texts and gives them meaning elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

__all__ = ["directory_files", "event_files", "law_files", "type_files"]

_ROOT = Path(__file__).parent


def event_files() -> Iterator[tuple[str, int, str]]:
    """Give each event schema as (event type, version, text), sorted."""
    for path in sorted((_ROOT / "events").glob("*/*.v*.avsc")):
        fact, version = path.name.removesuffix(".avsc").rsplit(".v", maxsplit=1)
        yield f"{path.parent.name}.{fact}", int(version), path.read_text(encoding="utf-8")


def type_files() -> Iterator[str]:
    """Give the text of each record that event schemas share."""
    for path in sorted((_ROOT / "events" / "types").glob("*.avsc")):
        yield path.read_text(encoding="utf-8")


def directory_files() -> Iterator[tuple[Path, str]]:
    """Give each agency's file of the shipped directory."""
    for path in sorted((_ROOT / "directory").glob("*.toml")):
        yield path, path.read_text(encoding="utf-8")


def law_files() -> Iterator[tuple[Path, str]]:
    """Give each file of legal acts."""
    for path in sorted((_ROOT / "law").glob("*.toml")):
        yield path, path.read_text(encoding="utf-8")
