"""The tax office's rules: one file a rule, each a pure function with a card that says what it looks for."""

from agents.tax_office.rules.registry import CARDS, RULES

__all__ = ["CARDS", "RULES"]
