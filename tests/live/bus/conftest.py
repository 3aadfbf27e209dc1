"""One province for all tests of this folder: servers, provisioned, with every worker at work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from province import Province

from lienthong.installation import bring_up
from lienthong.settings import remember_stack
from lienthong.stack import SilentProgress, StackPlan
from lienthong.supervisor import stop_supervisor


@pytest.fixture(scope="session")
def running_province(servers: StackPlan, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    """The bus and the agencies, under their supervisor; officers have their keys."""
    remember_stack(servers)
    with pytest.MonkeyPatch.context() as patch:
        # The shortest that Kafka allows: a killed worker's partitions wait for it.
        patch.setenv("LIENTHONG_SESSION_TIMEOUT_SECONDS", "6")
        bring_up(servers.data, progress=SilentProgress())
    with Province(servers, tmp_path_factory.mktemp("province")) as province:
        yield province
        stop_supervisor(servers.data)


@pytest.fixture
def province(running_province: Province) -> Province:
    """The province, with nothing on its way and every worker reading."""
    running_province.settle()
    return running_province


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for a test's files."""
    return tmp_path
