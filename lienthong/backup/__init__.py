"""An installation in a folder, and back: topics, PostgreSQL, registry, documents; keys apart."""

from __future__ import annotations

from lienthong.backup.making import make_backup
from lienthong.backup.manifest import KeysManifest, Manifest
from lienthong.backup.restoring import restore_backup

__all__ = ["KeysManifest", "Manifest", "make_backup", "restore_backup"]
