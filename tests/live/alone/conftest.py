"""
A province for each module alone.

Hostile records stay on the topics, and not every client can read past them; and a rebuild is compared with what the
shipped directory gives, not with what other tests granted and took away.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import running_servers

# Before `province`, `forger` and `watch` are imported, here and by the tests of this folder.
sys.path.insert(0, str(Path(__file__).parents[1] / "bus"))
sys.path.insert(1, str(Path(__file__).parents[1] / "faults"))

from province import Province, running_province_on


@pytest.fixture(scope="module")
def running_province(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    """Servers of its own, with every worker at work."""
    with running_servers() as plan, running_province_on(plan, tmp_path_factory.mktemp("province")) as province:
        yield province


@pytest.fixture
def province(running_province: Province) -> Province:
    """The province, with nothing on its way and every worker reading."""
    running_province.settle()
    return running_province
