"""
What a rule is, and what it says: the values that every rule of the tax office shares.

A rule is a card (id, version, severity, description in both languages) and a pure function. What it finds carries
the inputs it looked at, so that the verdict can be repeated; a personal value is never among them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from streams.event import Data
from streams.sealing import Reveal

__all__ = ["Check", "Finding", "Rule", "RuleCard", "Severity"]

Severity = Literal["info", "low", "medium", "high"]
"""How much a finding weighs: `info` is a remark, `low` a sign of carelessness, `high` hard to explain innocently."""


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One thing that does not fit in one invoice.

    Args:
        rule_id: the rule's stable name.
        rule_version: raised whenever the rule could say something else about the same invoice.
        severity: the card's, or a milder one where the rule knows of an innocent explanation.
        message_vi: what was found, in Vietnamese.
        message_en: the same in English.
        inputs: what the rule looked at, name to text; never a personal value.
    """

    rule_id: str
    rule_version: str
    severity: Severity
    message_vi: str
    message_en: str
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuleCard:
    """
    A rule as people see it.

    Args:
        id: stable; lower case with underscores.
        version: a whole number as text.
        severity: of its findings, unless a finding says otherwise.
        description_vi: what it looks for and beyond which tolerance, in Vietnamese.
        description_en: the same in English.
    """

    id: str
    version: str
    severity: Severity
    description_vi: str
    description_en: str

    def finding(self, vi: str, en: str, *, inputs: Mapping[str, str], severity: Severity | None = None) -> Finding:
        """
        Make a finding of this rule.

        Args:
            vi: what was found, in Vietnamese.
            en: the same in English.
            inputs: what was looked at; never a personal value.
            severity: None takes the card's.
        """
        return Finding(
            rule_id=self.id,
            rule_version=self.version,
            severity=severity or self.severity,
            message_vi=vi,
            message_en=en,
            inputs=dict(inputs),
        )


Check = Callable[[Data, Reveal], "Finding | None"]
"""Looks at one invoice's fields (those of `einvoice.received`); pure, and at peace with any field being absent."""


@dataclass(frozen=True, slots=True)
class Rule:
    """
    A rule that needs nothing but the invoice.

    Args:
        card: how it is called and described.
        check: what it does.
    """

    card: RuleCard
    check: Check
