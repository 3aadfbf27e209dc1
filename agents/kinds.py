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
from streams.agent import AgentSpec

__all__ = ["KINDS"]

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
