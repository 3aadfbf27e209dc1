"""The address that the servers listen on, and ports there that nobody else takes."""

from __future__ import annotations

import contextlib
import secrets
import socket
from pathlib import Path

__all__ = ["LOOPBACK", "free_ports"]

LOOPBACK = "127.0.0.1"
"""The servers listen here and nowhere else."""

_LOWEST = 10_000
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_EPHEMERAL_FROM = 32_768


def free_ports(count: int) -> list[int]:
    """
    Find ports that are free now, all different.

    None is of the range from which the system takes ports for outgoing connections: one of those could be taken while
    the server that it is meant for is down.
    """
    chosen = secrets.SystemRandom()
    with contextlib.ExitStack() as stack:
        found: list[int] = []
        while len(found) < count:
            one = stack.enter_context(socket.socket())
            with contextlib.suppress(OSError):  # taken: try another
                one.bind((LOOPBACK, chosen.randrange(_LOWEST, _ephemeral_from())))
                found.append(int(one.getsockname()[1]))
        return found


def _ephemeral_from() -> int:
    try:
        lowest = int(_EPHEMERAL.read_text(encoding="ascii").split()[0])
    except OSError:  # not Linux
        return _EPHEMERAL_FROM
    return lowest if lowest > 2 * _LOWEST else _EPHEMERAL_FROM
