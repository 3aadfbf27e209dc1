"""The agencies of the plan: one file or folder a kind, with its handlers (pure functions, event -> events)."""

from agents.kinds import KINDS, keeps_inbox

__all__ = ["KINDS", "keeps_inbox"]
