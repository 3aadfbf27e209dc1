"""Projections computed again from the log, and compared with what PostgreSQL has."""

from __future__ import annotations

from lienthong.rebuild.rebuilding import Rebuilt, rebuild_member

__all__ = ["Rebuilt", "rebuild_member"]
