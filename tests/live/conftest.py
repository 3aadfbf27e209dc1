"""Real servers for the tests of the bus and of the runtime: one set a session, on free ports, in its own folder."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator

import pytest
from running import running_servers

from lienthong.stack import StackPlan

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
    with running_servers() as plan:
        yield plan
