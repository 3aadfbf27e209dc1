"""
One province for all tests of this folder: servers, provisioned, with every worker at work.

It ends with the folder, not with the session: eight workers that wait use a third of a processor.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from pathlib import Path

import pytest
from province import Province, running_province_on
from running import running_servers

_open = contextlib.ExitStack()


@pytest.fixture(scope="session")
def running_province(tmp_path_factory: pytest.TempPathFactory) -> Province:
    """The bus and the agencies, under their supervisor; officers have their keys."""
    servers = _open.enter_context(running_servers())
    return _open.enter_context(running_province_on(servers, tmp_path_factory.mktemp("province")))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, None, None]:
    """End the province after the last test of this folder."""
    yield
    folder = Path(__file__).parent
    if folder in item.path.parents and (nextitem is None or folder not in nextitem.path.parents):
        _open.close()


@pytest.fixture
def province(running_province: Province) -> Province:
    """The province, with nothing on its way and every worker reading."""
    running_province.settle()
    return running_province


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for a test's files."""
    return tmp_path
