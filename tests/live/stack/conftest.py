"""One stack for all tests of this folder, on free ports; each test finds it running."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lienthong.stack import SilentProgress, StackPlan, default_cache, ensure_readers, start_servers, stop_servers
from streams.errors import ConfigurationError, TransientError


@pytest.fixture(scope="module")
def plan() -> Iterator[StackPlan]:
    """A plan that nobody else uses; what the tests started is stopped at the end."""
    # Not pytest's own folder: its path is long, and on a shared machine it is listed for other users.
    with tempfile.TemporaryDirectory(prefix="lienthong-test-", ignore_cleanup_errors=True) as folder:
        plan = StackPlan.on_free_ports(Path(folder) / "data", default_cache())
        ensure_readers(plan, ["tax-hanam"])
        yield plan
        stop_servers(plan)


@pytest.fixture
def running(plan: StackPlan) -> StackPlan:
    """The shared stack, running."""
    try:
        start_servers(plan, progress=SilentProgress())
    except (ConfigurationError, TransientError) as error:
        if "CI" in os.environ or "Maven" not in str(error):
            raise
        pytest.skip(str(error))
    return plan
