"""A run is good when nothing is wrong, its fault struck, and no partition stood still for too long."""

from __future__ import annotations

import json

import pytest
from checker import Found, Verdict
from result import Held, Result
from strikes import Strikes


def result(*found: Found, struck: int = 2, held_seconds: float = 1.0) -> Result:
    """Give the result of a run whose fault had to strike twice."""
    verdict = Verdict(
        n=9,
        events=9,
        lost=len(found),
        duplicated=0,
        inverted=0,
        recovered=0,
        refused=0,
        slowest_seconds=0.1,
        found=found,
    )
    return Result(
        verdict=verdict,
        strikes=Strikes(seen={"kills": struck}, wanted={"kills": 2}),
        seconds=60.0,
        started_seconds=20.0,
        settled_seconds=1.0,
        held=Held(seconds=held_seconds, place="lt.a.b 0", most_seconds=5.0, look_seconds=0.3, megabytes=120),
    )


def test_a_run_without_findings_whose_fault_struck_is_good() -> None:
    """It says so, with its figures, in words and in fields."""
    good = result()

    assert good.passed
    assert "F7    ok     n 9 seed 4 lost 0 duplicated 0 inverted 0" in good.line("F7", 4)
    assert "struck: 2 kills; longest hold 1.0 s of 5 s" in good.line("F7", 4)
    fields = json.loads(json.dumps(good.fields("F7", 4)))
    assert {"fault": "F7", "passed": True, "n": 9, "seed": 4, "lost": 0, "held_seconds": 1.0}.items() <= fields.items()


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (result(Found("lost", "an event")), "lost (1): an event"),
        (result(struck=1), "not struck: kills 1 of 2"),
        (result(held_seconds=5.1), "longest hold 5.1 s of 5 s"),
    ],
    ids=["found", "not struck", "held"],
)
def test_anything_wrong_fails_a_run_and_is_named(bad: Result, why: str) -> None:
    """A finding, a fault that was not seen, or a partition that stood still."""
    assert not bad.passed
    assert "FAILED" in bad.line("F7", 4)
    assert why in bad.line("F7", 4)
