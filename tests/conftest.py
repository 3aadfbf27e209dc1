"""What every test folder may rely on: the suites that a port's implementations share can be imported by name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import settings

SUITES = Path(__file__).parent / "contract" / "suites"

# At import, not in a hook: conftest files of folders below import the suites, and pytest loads them before its hooks.
sys.path.insert(0, str(SUITES))
pytest.register_assert_rewrite(*(path.stem for path in SUITES.glob("*.py")))

# Machines are shared: a slow one must not fail an example, and pytest's own time limit ends what hangs.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
