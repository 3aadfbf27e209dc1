"""Real servers for the tests of the bus and of the runtime: one set a session, on free ports, in its own folder."""

from __future__ import annotations

import base64
import gc
import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from lienthong.stack import SilentProgress, StackPlan, default_cache, start_servers, stop_servers
from streams.errors import ConfigurationError, TransientError

_OPEN_SOCKET = "unclosed <socket"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    Let live tests pass over a socket that a client left open.

    kafka-python 3.0 loses a socket whose connection comes about in the moment in which its client is closed. What our
    own code leaves open is still found by the unit tests, where such a warning is an error.
    """
    for each in items:
        if each.get_closest_marker("live"):
            each.add_marker(pytest.mark.filterwarnings(f"ignore:{_OPEN_SOCKET}:ResourceWarning"))


@pytest.fixture(autouse=True, scope="module")
def _collected() -> Iterator[None]:
    """Collect what this module's clients left, so that no later test is blamed for it."""
    yield
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", _OPEN_SOCKET, ResourceWarning)
        gc.collect()


@pytest.fixture(scope="session")
def servers() -> Iterator[StackPlan]:
    """Kafka, the registry and PostgreSQL, running; stopped at the end of the session."""
    with (
        pytest.MonkeyPatch.context() as patch,
        tempfile.TemporaryDirectory(prefix="lienthong-test-", ignore_cleanup_errors=True) as folder,
    ):
        for name in [each for each in os.environ if each.startswith("LIENTHONG_")]:
            patch.delenv(name)  # a person's own settings must not lead a test to a person's own stack
        plan = StackPlan.on_free_ports(Path(folder) / "data", default_cache())
        plan.kafka_folder.mkdir(parents=True, mode=0o700)
        # One id in 64 begins with a hyphen, which Kafka's command line once took for an option: here every one does.
        (plan.kafka_folder / "cluster-id").write_text(base64.urlsafe_b64encode(b"\xf8" * 16).decode().rstrip("="))
        try:
            start_servers(plan, progress=SilentProgress())
        except (ConfigurationError, TransientError) as error:
            stop_servers(plan)
            if "CI" in os.environ or "Maven" not in str(error):
                raise
            pytest.skip(str(error))
        yield plan
        stop_servers(plan)
