"""Which relay may publish from an outbox: whoever holds the lock on the only row of `relay`, in the same schema."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from connectors.postgres.connection import Database

__all__ = ["relay_turn"]


@asynccontextmanager
async def relay_turn(database: Database) -> AsyncIterator[bool]:
    """
    Take an outbox: `streams.store.Outbox.turn`.

    A row's lock ends with its session, so a relay that is killed holds up nobody. An advisory lock would do the same,
    but those of all agencies are one name space: one agency could hold up another.
    """
    async with database.transaction() as connection:
        cursor = await connection.execute("select from relay for update skip locked")
        yield await cursor.fetchone() is not None
