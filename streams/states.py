"""
What handlers remember, as texts: so a store keeps a state, and from it each handler gets a copy of its own.

The text is kept as it is, so that a handler finds its keys in the order in which it wrote them, whether the state was
written by the event just before it or a year ago.
"""

from __future__ import annotations

import json

from streams.agent import State

__all__ = ["state_of", "state_text"]

_encode = json.JSONEncoder(separators=(",", ":")).encode


def state_text(state: State) -> str:
    r"""
    Write a state; ASCII only, whatever its texts hold.

    >>> state_text({"tên": ["nul" + chr(0)]})
    '{"t\\u00ean":["nul\\u0000"]}'
    """
    return _encode(state)


def state_of(text: str | None) -> State:
    """Read a state; None, where nothing was kept, is an empty one."""
    state: State = json.loads(text) if text else {}
    return state
