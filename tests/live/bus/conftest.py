"""One province for all tests of this folder: servers, provisioned, with every worker at work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from province import Province, running_province_on

from lienthong.stack import StackPlan


@pytest.fixture(scope="session")
def running_province(servers: StackPlan, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    """The bus and the agencies, under their supervisor; officers have their keys."""
    with running_province_on(servers, tmp_path_factory.mktemp("province")) as province:
        yield province


@pytest.fixture
def province(running_province: Province) -> Province:
    """The province, with nothing on its way and every worker reading."""
    running_province.settle()
    return running_province


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for a test's files."""
    return tmp_path
