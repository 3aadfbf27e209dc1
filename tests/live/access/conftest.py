"""Servers of their own, provisioned, without workers: what is tried here would end them, if it were allowed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from running import running_servers

from lienthong.provision import Servers, provision
from lienthong.settings import remember_stack
from lienthong.stack import SilentProgress, StackPlan


@pytest.fixture(scope="module")
def plan() -> Iterator[StackPlan]:
    """The servers, as the directory wants them."""
    with running_servers() as plan:
        remember_stack(plan)
        provision(Servers.of_stack(plan), progress=SilentProgress())
        yield plan
