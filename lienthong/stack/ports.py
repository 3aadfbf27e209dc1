"""Tell before the start that a port is taken, and by whom."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from lienthong.stack.loopback import LOOPBACK
from streams.errors import ConfigurationError

__all__ = ["Port", "accepts", "require_free_ports"]


_CLOSING_SECONDS = 10.0


@dataclass(frozen=True)
class Port:
    """
    A port that a server will listen on.

    Args:
        number: the port.
        setting: the setting that changes it.
    """

    number: int
    setting: str


def accepts(number: int) -> bool:
    """Whether somebody listens on a loopback port."""
    try:
        with socket.create_connection((LOOPBACK, number), timeout=1):
            return True
    except OSError:
        return False


def require_free_ports(ports: Iterable[Port]) -> None:
    """
    Refuse to start where a port is taken.

    One that no process holds is waited for: the system closes what a killed server had open a moment after its end.

    Raises:
        ConfigurationError: names the first taken port, its setting and, where the system tells, its holder.
    """
    for port in ports:
        deadline = time.monotonic() + _CLOSING_SECONDS
        while not _is_free(port.number):
            holder = _holder(port.number)
            if holder is None and time.monotonic() < deadline:
                time.sleep(0.1)
                continue
            raise ConfigurationError(
                f"Port {port.number} is taken by {holder or 'another program'}: stop that, "
                f"or set {port.setting} to a free port.",
                code="port_taken",
            )


def _is_free(number: int) -> bool:
    with socket.socket() as probe:
        # As the servers do: an old connection in TIME_WAIT does not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, number))
        except OSError:
            return False
    return True


def _holder(number: int) -> str | None:
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections(kind="tcp"):
            address = tuple(connection.laddr)
            listens = connection.status == psutil.CONN_LISTEN and number in address[1:2]
            if listens and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    return None
