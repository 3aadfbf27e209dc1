"""All rules of the tax office, in the order of their ids, which is the order of their findings."""

from __future__ import annotations

from agents.tax_office.finding import Rule, RuleCard
from agents.tax_office.rules import (
    amount_in_words,
    dated_after_sent,
    dated_long_before_sent,
    invoice_changed,
    line_amount,
    lines_sum,
    same_party,
    seller_tax_code,
    tax_rate_unknown,
    tax_sum,
    total_sign,
    total_sum,
)

__all__ = ["CARDS", "RULES"]

RULES: tuple[Rule, ...] = (
    Rule(amount_in_words.CARD, amount_in_words.check),
    Rule(dated_after_sent.CARD, dated_after_sent.check),
    Rule(dated_long_before_sent.CARD, dated_long_before_sent.check),
    Rule(line_amount.CARD, line_amount.check),
    Rule(lines_sum.CARD, lines_sum.check),
    Rule(same_party.CARD, same_party.check),
    Rule(seller_tax_code.CARD, seller_tax_code.check),
    Rule(tax_rate_unknown.CARD, tax_rate_unknown.check),
    Rule(tax_sum.CARD, tax_sum.check),
    Rule(total_sign.CARD, total_sign.check),
    Rule(total_sum.CARD, total_sum.check),
)
"""The rules that need one invoice and nothing else."""

CARDS: tuple[RuleCard, ...] = tuple(
    sorted([*(each.card for each in RULES), invoice_changed.CARD], key=lambda card: card.id)
)
"""The cards of all rules, the one that remembers included."""
