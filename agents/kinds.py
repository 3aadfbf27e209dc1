"""Every agency kind that has agents, by the name that directory entries use."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from agents import (
    information_department,
    market_surveillance,
    police,
    postal_operator,
    state_bank,
    steering_committee,
    tax_office,
)
from streams.agent import AgentSpec, Work

__all__ = ["KINDS", "keeps_inbox"]

KINDS: Mapping[str, AgentSpec] = MappingProxyType(
    {
        each.SPEC.kind: each.SPEC
        for each in (
            information_department,
            market_surveillance,
            police,
            postal_operator,
            state_bank,
            steering_committee,
            tax_office,
        )
    }
)
"""Agency kind -> its handlers."""


def keeps_inbox(kind: str) -> bool:
    """Say whether agencies of a kind keep an inbox: all do, but those whose kind is stateless."""
    return kind not in KINDS or KINDS[kind].work is Work.STATEFUL
