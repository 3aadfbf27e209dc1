"""The information department: suspicions become words that name nobody."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agents import information_department
from agents.information_department import PRACTICES, prepare_warning
from agents.tax_office.rules import CARDS
from streams.agent import Context, Work
from streams.event import Event
from streams.subject import pseudonym

MakeEvent = Callable[..., Event]
MakeContext = Callable[..., Context]
SELLER = pseudonym("seller", "vn-mst", "9900000056")


def test_reasons_become_practices_in_their_order(event: MakeEvent, context: MakeContext) -> None:
    """Each once, whatever the number of reasons, about the same pseudonym, and with no word of the reasons' own."""
    reasons = [{"code": code, "message_en": "Example Ltd"} for code in ("seller_tax_code", "total_sum", "tax_sum")]

    [draft] = prepare_warning(
        event("seller.suspected", {"seller": SELLER.as_data(), "reasons": reasons}), context()
    ).events

    assert (draft.type, draft.subject, draft.data["practices"]) == ("warning.prepared", SELLER, ["amounts", "parties"])
    assert draft.data["text_en"] == f"{PRACTICES[0].en} {PRACTICES[1].en}"
    assert "Example" not in str(draft.data)


@pytest.mark.parametrize("reasons", [None, [], [{"code": "later"}]])
def test_without_a_known_reason_nothing_is_said(reasons: object, event: MakeEvent, context: MakeContext) -> None:
    """Reasons may have been removed, or come from a rule that is newer than the texts."""
    outcome = prepare_warning(event("seller.suspected", {"seller": SELLER.as_data(), "reasons": reasons}), context())

    assert (outcome.events, outcome.state, outcome.note) == ((), None, None)


def test_every_rule_of_the_tax_office_belongs_to_one_practice() -> None:
    """So that a new rule is not forgotten here."""
    known = [code for each in PRACTICES for code in each.reasons]

    assert sorted(known) == sorted(each.id for each in CARDS)


def test_its_work_is_stateless() -> None:
    """As its kind declares for all its handlers."""
    assert information_department.SPEC.work is Work.STATELESS
    assert [each.state_key for each in information_department.SPEC.handlers] == [None]
