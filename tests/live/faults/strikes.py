"""Proof that a fault struck."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Strikes"]


@dataclass
class Strikes:
    """Proof that a fault struck: what was seen, how often. A run whose fault was not seen fails."""

    seen: dict[str, int] = field(default_factory=dict)
    wanted: dict[str, int] = field(default_factory=dict)

    def want(self, what: str, times: int = 1) -> None:
        """Ask for so many strikes of a kind."""
        self.wanted[what] = self.wanted.get(what, 0) + times

    def note(self, what: str, times: int = 1) -> None:
        """Note strikes that were seen."""
        self.seen[what] = self.seen.get(what, 0) + times

    @property
    def missing(self) -> Mapping[str, str]:
        """Name the kinds that did not strike often enough."""
        return {
            what: f"{self.seen.get(what, 0)} of {times}"
            for what, times in self.wanted.items()
            if self.seen.get(what, 0) < times
        }

    def __str__(self) -> str:
        """Name what was seen."""
        return ", ".join(f"{times} {what}" for what, times in sorted(self.seen.items())) or "none"
