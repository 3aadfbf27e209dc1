"""
What every test folder may rely on.

The suites that a port's implementations share can be imported by name. Two processes share the tests, a file each at a
time; those of the bus's province all go to one, for it runs once, and what takes long begins first.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

PROVINCE = "tests/live/bus/"
SUITES = Path(__file__).parent / "contract" / "suites"

# At import, not in a hook: conftest files of folders below import the suites, and pytest loads them before its hooks.
sys.path.insert(0, str(SUITES))
pytest.register_assert_rewrite(*(path.stem for path in SUITES.glob("*.py")))

# Machines are shared: a slow one must not fail an example, and pytest's own time limit ends what hangs.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


class _FilesAndTheProvince(LoadScopeScheduling):
    """Hands out files, and the province's as if they were one."""

    def _split_scope(self, nodeid: str) -> str:
        return PROVINCE if nodeid.startswith(PROVINCE) else nodeid.split("::", maxsplit=1)[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Share the tests out, in the order of `pytest_collection_modifyitems`."""
    config.option.loadscopereorder = False  # by the number of tests, which says nothing of their time
    return _FilesAndTheProvince(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, dict[str, Any] | None, dict[str, Any] | None]:
    """Escape what was captured and is no text, such as half a character: it could not be sent to the other process."""
    told = yield
    if told and "sections" in told:
        told["sections"] = [
            (title, content.encode(errors="backslashreplace").decode()) for title, content in told["sections"]
        ]
    return told


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the province before the other live tests, and these before what takes milliseconds."""
    items.sort(key=lambda each: (not each.nodeid.startswith(PROVINCE), each.get_closest_marker("live") is None))
