"""A copy that does not come is seen by its recipient's worker, and forgotten when it comes."""

from __future__ import annotations

from uuid import uuid4

import pytest
from forger import Forger, changed
from province import Province

pytestmark = pytest.mark.live

BANK, DESK = "sbv-hanam", ("--as", "sbv-hanam/payment-desk")


def test_a_number_that_is_missing_is_listed_and_counted_until_it_comes(province: Province) -> None:
    """Copies 1 and 3 about one subject, and a while later the second."""
    forger, number = Forger(province.registry), uuid4().hex
    copies = {each: changed(forger.invoice(number), sequence=str(each)) for each in (1, 2, 3)}
    subject = copies[1].event.subject.key

    def send(sequence: int) -> None:
        copy = copies[sequence]
        province.send(f"lt.inbox.{BANK}", copy.value, copy.headers, key=subject.encode())

    def listed() -> list[tuple[int, int]]:
        rows = province.lines("inbox", "list", "--gaps", *DESK)
        return [(each["expected"], each["found"]) for each in rows if each["subject"] == subject]

    send(1)
    send(3)
    province.until("the gap", listed)

    assert listed() == [(2, 3)]
    assert province.value(BANK, "select count(*) from inbox where subject_value = %s", subject.split(":")[1]) == 2
    send(2)
    province.until("no gap", lambda: not listed())
