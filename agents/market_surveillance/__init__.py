"""Market surveillance: gathers a seller's anomalies, suspects sellers and flags parcels (plan, IV.3)."""

from agents.market_surveillance.handler import SPEC

__all__ = ["SPEC"]
