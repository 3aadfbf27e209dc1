"""A pool of connections that log in as one role and stay in one schema; a driver's errors become ours here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from streams.errors import ConfigurationError, ForbiddenError, TransientError, UnstorableError

__all__ = ["Database", "attempt"]

_WAIT_SECONDS = 5.0

_NO_PLACE = (psycopg.DataError, psycopg.errors.ProgramLimitExceeded, psycopg.errors.StatementTooComplex)
"""
What a value is to blame for. The driver has the last two, a key that is too long for an index among them, under the
errors of a server that is away; to try again would never end.
"""

_GIVE_UP_SECONDS = 10.0
"""
After so long the pool ends an attempt to connect, and begins anew when somebody asks.

It doubles its pauses without a bound: after an outage of ten minutes it would come back ten minutes late.
"""


class Database:
    """
    PostgreSQL as one role, in one schema.

    Args:
        dsn: of the role.
        schema: the role's own.

    Use it as an asynchronous context manager; leaving it closes the pool.
    """

    def __init__(self, dsn: str, *, schema: str) -> None:
        conninfo = make_conninfo(dsn, options=f"-c search_path={schema}", connect_timeout=5, application_name=schema)
        self._conninfo = conninfo
        self._pool: AsyncConnectionPool[psycopg.AsyncConnection] = AsyncConnectionPool(
            conninfo,
            min_size=1,
            max_size=4,
            open=False,
            timeout=_WAIT_SECONDS,
            reconnect_timeout=_GIVE_UP_SECONDS,
        )

    async def __aenter__(self) -> Self:
        """Open the pool, after one connection that shows whether the role may log in at all."""
        try:
            async with await psycopg.AsyncConnection.connect(self._conninfo):
                pass
        except psycopg.OperationalError as error:
            if isinstance(error, psycopg.errors.InvalidAuthorizationSpecification) or "authentication" in str(error):
                raise ConfigurationError(f"PostgreSQL refuses the login: {_sentence(error)}") from error
            raise TransientError(
                f"PostgreSQL does not answer: run `lienthong up`, or see `lienthong status`. {_sentence(error)}"
            ) from error
        await self._pool.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the pool."""
        await self._pool.close()

    async def ping(self) -> None:
        """
        Ask for an answer.

        Raises:
            TransientError: PostgreSQL is away.
        """
        async with self.transaction() as connection:
            await connection.execute("select 1")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[psycopg.AsyncConnection]:
        """
        Give a connection in a transaction: committed when the block ends, undone when it raises.

        Raises:
            TransientError: PostgreSQL is away, stopping, full, or two transactions met; nothing was done.
            ForbiddenError: the role has no right to what was asked.
            UnstorableError: PostgreSQL has no place for a value, such as a zero byte in a text or a very long key.
        """
        try:
            async with self._pool.connection() as connection, connection.transaction():
                yield connection
        except psycopg.errors.InsufficientPrivilege as error:
            raise ForbiddenError(f"PostgreSQL does not allow it: {_sentence(error)}", code="database_right") from error
        except _NO_PLACE as error:
            raise UnstorableError(f"PostgreSQL cannot keep it: {_sentence(error)}") from error
        except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
            raise TransientError(f"PostgreSQL is away: {_sentence(error)}") from error


@asynccontextmanager
async def attempt(connection: psycopg.AsyncConnection) -> AsyncIterator[None]:
    """
    Begin a part of a transaction that is undone alone when its block raises.

    Raises:
        UnstorableError: PostgreSQL has no place for a value of this part.
    """
    try:
        async with connection.transaction():
            yield
    except _NO_PLACE as error:
        raise UnstorableError(f"PostgreSQL cannot keep it: {_sentence(error)}") from error


def _sentence(error: Exception) -> str:
    """Give the driver's words on one line, without the server's details, which quote the values of a row."""
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return " ".join((primary or str(error)).split())
