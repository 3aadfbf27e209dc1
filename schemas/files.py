"""
Where the contract's files are: event types, shared types, directory, law.

This package holds data; whoever reads it gets texts and gives them meaning elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

__all__ = ["SHIPPED", "directory_files", "event_files", "law_files", "type_files"]

SHIPPED = Path(__file__).parent
"""The folder of the shipped contract."""


def event_files() -> Iterator[tuple[str, int, str]]:
    """Give each event schema as (event type, version, text), sorted."""
    for path in sorted((SHIPPED / "events").glob("*/*.v*.avsc")):
        fact, version = path.name.removesuffix(".avsc").rsplit(".v", maxsplit=1)
        yield f"{path.parent.name}.{fact}", int(version), path.read_text(encoding="utf-8")


def type_files() -> Iterator[str]:
    """Give the text of each record that event schemas share."""
    for path in sorted((SHIPPED / "events" / "types").glob("*.avsc")):
        yield path.read_text(encoding="utf-8")


def directory_files(contract: Path = SHIPPED) -> Iterator[tuple[Path, str]]:
    """Give each agency's file of a contract's directory, sorted."""
    yield from _texts(contract / "directory")


def law_files(contract: Path = SHIPPED) -> Iterator[tuple[Path, str]]:
    """Give each file of legal acts and purposes of a contract, sorted."""
    yield from _texts(contract / "law")


def _texts(folder: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted(folder.glob("*.toml")):
        # What is no UTF-8 is for the reader to refuse, by the file's name, and no reason not to read the others.
        yield path, path.read_text(encoding="utf-8", errors="surrogateescape")
