"""The tax office: reads e-invoices, applies its rules, publishes what does not fit (plan, IV.9)."""

from agents.tax_office.finding import Finding
from agents.tax_office.handler import SPEC, check_invoice
from agents.tax_office.rules.registry import CARDS as RULE_CARDS

__all__ = ["RULE_CARDS", "SPEC", "Finding", "check_invoice"]
