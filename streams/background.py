"""What runs beside a worker's stream: relay, connectors; one port, and patience with servers that are away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from streams.errors import TransientError

__all__ = ["Background", "pause", "with_patience"]

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 10.0

_log = structlog.get_logger(__name__)


class Background(Protocol):
    """A service of a worker."""

    @property
    def name(self) -> str:
        """For logs."""

    async def run(self, stop: asyncio.Event) -> None:
        """
        Work until `stop` is set, then come back soon.

        Errors of servers that are away are its own to wait out; anything that it raises ends the worker.
        """


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait until `stop` is set or the time is over."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


async def with_patience(
    work: Callable[[], Awaitable[None]], *, stop: asyncio.Event, retried: Callable[[], None]
) -> bool:
    """
    Do a piece of work, waiting out servers that are away, longer each time, at most ten seconds.

    Args:
        work: may raise TransientError when it did nothing.
        stop: gives up waiting.
        retried: called at each pause.

    Returns:
        Whether it was done; False only when `stop` was set first.
    """
    seconds = _FIRST_PAUSE_SECONDS
    while True:
        try:
            await work()
        except TransientError as error:
            _log.warning("waiting", reason=error.code, detail=str(error), pause_seconds=seconds)
            retried()
            await pause(stop, seconds)
            if stop.is_set():
                return False
            seconds = min(seconds * 2, _LONGEST_PAUSE_SECONDS)
        else:
            return True
