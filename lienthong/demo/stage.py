"""
What the demo can see of an installation: the ledger, each agency's inbox and outbox, and who is behind.

Everything is asked of PostgreSQL, and of Kafka where an agency keeps no inbox; nothing is assumed to have happened
because it was asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from agents import keeps_inbox
from connectors.postgres import Database, received_counts, waiting_in_outbox
from connectors.postgres.ledger_view import delivery_counts, events_of
from lienthong.demo.unread import unread
from lienthong.directory import LiveDirectory
from lienthong.installation import supervised
from lienthong.settings import agency_settings
from streams.errors import LienThongError
from streams.names import BUS, AgencyCode, database_schema

__all__ = ["Stage", "WaitingError"]

_LOOK_SECONDS = 0.25


class WaitingError(LienThongError):
    """Somebody did not do their part in time; the message names them."""

    code = "waiting"


@dataclass
class Stage:
    """
    An installation, seen by all its databases.

    Args:
        data: its folder.
        patience_seconds: how long nothing at all may change before the demo gives up.
    """

    data: Path
    patience_seconds: float
    databases: dict[AgencyCode, Database] = field(default_factory=dict)
    _open: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> Self:
        """Open the ledger and every agency's schema, each with its own role."""
        for code in [BUS, *sorted(LiveDirectory(self.data)().agencies)]:
            dsn = agency_settings(self.data, code).postgres.dsn.get_secret_value()
            database = Database(dsn, schema=database_schema(code))
            self.databases[code] = await self._open.enter_async_context(database)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close them."""
        await self._open.aclose()

    @property
    def ledger(self) -> Database:
        """The bus's."""
        return self.databases[BUS]

    @property
    def agencies(self) -> list[AgencyCode]:
        """All agencies, by code."""
        return [code for code in self.databases if code != BUS]

    @property
    def with_inbox(self) -> list[AgencyCode]:
        """Those that keep an inbox."""
        known = LiveDirectory(self.data)().agencies
        return [code for code in self.agencies if keeps_inbox(known[code].kind)]

    async def events(self, event_type: str) -> Sequence[Mapping[str, Any]]:
        """Give the admitted events of a type, oldest first."""
        return await events_of(self.ledger, event_type)

    async def at_work(self) -> bool:
        """Say whether every worker runs and reads its partitions."""
        return not self._not_at_work()

    def _not_at_work(self) -> dict[AgencyCode, str]:
        services = {each.service: each for each in supervised(self.data)}
        states = {code: (services[code].state, services[code].detail) for code in self.databases}
        return {code: _state(*each) for code, each in states.items() if each[0] != "running" or "reads" not in each[1]}

    async def settled(self) -> bool:
        """Say whether every queued record reached Kafka and every delivery its agency's inbox."""
        return not await self.behind()

    async def until(self, what: str, reached: Callable[[], Awaitable[bool]]) -> None:
        """
        Wait for a condition.

        Args:
            what: for people.
            reached: asked again and again.

        Raises:
            WaitingError: nothing changed for too long; the message names who is behind.
        """
        loop = asyncio.get_running_loop()
        seen, since = await self._fingerprint(), loop.time()
        while not await reached():
            await asyncio.sleep(_LOOK_SECONDS)
            if any("held" in state for state in self._not_at_work().values()):
                raise WaitingError(await self._explanation(what))
            now = await self._fingerprint()
            if now != seen:
                seen, since = now, loop.time()
            elif loop.time() - since > self.patience_seconds:
                raise WaitingError(await self._explanation(what))

    async def behind(self) -> dict[AgencyCode, str]:
        """Say who is behind, and with what."""
        delivered = await delivery_counts(self.ledger)
        late: dict[AgencyCode, str] = {}
        for code, database in self.databases.items():
            if queued := await waiting_in_outbox(database):
                late[code] = f"{queued} records of its outbox are not on Kafka yet"
            elif code != BUS and (missing := await self._unread(code, delivered.get(code, 0))):
                late[code] = f"{missing} events of its inbox are not read yet"
        return late

    async def _unread(self, code: AgencyCode, delivered: int) -> int:
        if code in self.with_inbox:
            return delivered - sum((await received_counts(self.databases[code])).values())
        return await asyncio.to_thread(unread, agency_settings(self.data, code).kafka.address, code)

    async def _fingerprint(self) -> tuple[object, ...]:
        delivered = sorted((await delivery_counts(self.ledger)).items())
        received = [sum((await received_counts(self.databases[code])).values()) for code in self.with_inbox]
        queued = [await waiting_in_outbox(database) for database in self.databases.values()]
        return (delivered, received, queued, sorted(self._not_at_work().items()))

    async def _explanation(self, what: str) -> str:
        down = self._not_at_work()
        late = await self.behind()
        named = sorted({*late, *down})
        details = [f"{code} ({_why(late.get(code), down.get(code))})" for code in named]
        held = next((code for code, state in down.items() if "held" in state), None)
        advice = (
            f" Let it run again: lienthong release {held} --data {self.data}."
            if held
            else f" See lienthong status --data {self.data}."
        )
        return f"waiting for {'; '.join(details) or 'the agencies'}; the demo cannot go on without {what}.{advice}"


def _state(state: str, detail: str) -> str:
    return f"is {state}" if state != "running" else detail or "has not joined its group"


def _why(late: str | None, state: str | None) -> str:
    return ", ".join(part for part in (late, f"its worker {state}" if state else None) if part)
