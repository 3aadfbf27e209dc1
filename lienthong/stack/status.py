"""What a service is doing, in the shape that `lienthong status` prints."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

__all__ = ["ServiceState", "ServiceStatus"]

ServiceState = Literal["running", "starting", "failed", "stopped", "waiting", "held"]
"""
What a service is doing.

running: its process lives and, for a server, it answered. starting: its process lives and does not answer yet.
failed: it should run and does not. stopped: nobody asked it to run. waiting: it ended and is started again at a set
time. held: somebody holds it down.
"""


@dataclass(frozen=True, kw_only=True)
class ServiceStatus:
    """
    One service at one moment.

    Args:
        service: its name, unique in an installation.
        state: what it is doing.
        address: where clients find it; of a worker, where it says how it is.
        pid: its process; None when there is none.
        since: start of that process, aware UTC.
        detail: what a person should know, in a sentence or less; empty when all is well.
    """

    service: str
    state: ServiceState
    address: str | None = None
    pid: int | None = None
    since: datetime | None = None
    detail: str = ""

    def as_json(self) -> dict[str, str | int | None]:
        """
        The line of `lienthong status --json`.

        >>> ServiceStatus(service="kafka", state="stopped", address="localhost:19092").as_json()["state"]
        'stopped'
        """
        return {
            "service": self.service,
            "state": self.state,
            "address": self.address,
            "pid": self.pid,
            "since": self.since.isoformat(timespec="seconds") if self.since else None,
            "detail": self.detail or None,
        }
