"""A small run of the fault kit: workers are killed while a load flows, and the checker finds nothing."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from faults import FAULTS
from kit import run_fault
from plants import PLANTS

ROOT = Path(__file__).parents[3]
EVENTS = int(os.environ.get("FAULTS_EVENTS", "600"))
SEED = int(os.environ.get("FAULTS_SEED", "20261"))


@pytest.mark.live
@pytest.mark.timeout(600)
def test_workers_are_killed_and_nothing_is_lost_doubled_or_turned_round(tmp_path: Path) -> None:
    """SIGKILL at random moments and at named points; what the catalogue calls F7, in small."""
    fault = FAULTS["F7"]

    result = run_fault(fault, events=EVENTS, seed=SEED, folder=tmp_path / "run")

    assert result.passed, result.line("F7", SEED)


def test_the_page_of_faults_names_each_fault_and_each_planted_bug() -> None:
    """docs/faults.md has one row for each, and no other."""
    page = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    before, _, planted = page.partition("## Planted bugs")

    assert set(FAULTS) == set(re.findall(r"^\| (F\d+) \|", before, re.MULTILINE))
    assert set(PLANTS) == set(re.findall(r"^\| `([a-z_]+)` \|", planted, re.MULTILINE))
