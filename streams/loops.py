"""
Handlers that answer each other for ever: each event carries which handlers its chain ran through, and on what subject.

Pure: a chain is judged by the event alone, so that a repeat, and a rebuild, end at the same place.
"""

from __future__ import annotations

import hashlib

from streams.errors import PermanentError
from streams.event import Event
from streams.names import AgencyCode

__all__ = ["MAX_PASSES", "handler_digest", "passed_through"]

MAX_PASSES = 3
"""So many times one handler may work on one subject within one chain."""

_DIGITS = 8


def handler_digest(agency: AgencyCode, handler: str, event: Event) -> str:
    """Name a handler's work on an event's subject within its chain: 8 hexadecimal digits."""
    name = f"{agency}|{handler}|{event.subject.key}|{event.correlation}"
    return hashlib.sha256(name.encode()).hexdigest()[:_DIGITS]


def passed_through(agency: AgencyCode, handler: str, event: Event) -> tuple[str, ...]:
    """
    Say what an event carries that this handler derives from another one: all that the chain ran through, and this.

    Args:
        agency: whose handler it is.
        handler: its name.
        event: the one in hand.

    Raises:
        PermanentError: code `loop`; the chain ran through this handler, on this subject, `MAX_PASSES` times before.
    """
    digest = handler_digest(agency, handler, event)
    if event.passed.count(digest) >= MAX_PASSES:
        raise PermanentError(
            f"The chain ran {MAX_PASSES} times through {handler}, each time on the same subject.", code="loop"
        )
    return (*event.passed, digest)
