"""The shipped contract, and a bus in memory that carries it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from agents import KINDS
from streams.catalogue import Catalogue, load_catalogue
from streams.codec import Codec
from streams.directory import Directory, load_directory
from streams.testing import MemoryBus

NOON = datetime(2026, 11, 20, 5, tzinfo=UTC)


class Clock:
    """A clock that goes on by a millisecond each time it is read."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> datetime:
        """Give the time."""
        self.time += timedelta(milliseconds=1)
        return self.time


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """Give the shipped event types."""
    return load_catalogue()


@pytest.fixture(scope="session")
def directory() -> Directory:
    """Give the shipped directory."""
    return load_directory()


@pytest.fixture(scope="session")
def codec(catalogue: Catalogue) -> Codec:
    """Give a codec with ids from 1 on; tests that teach it further schemas make their own."""
    return Codec(
        catalogue=catalogue, ids={name: number for number, name in enumerate(sorted(catalogue.types), start=1)}
    )


@pytest.fixture
def clock() -> Callable[[], datetime]:
    """Give a clock that begins at noon."""
    return Clock()


@pytest.fixture
def bus(catalogue: Catalogue, directory: Directory, clock: Callable[[], datetime]) -> MemoryBus:
    """Give a bus with the shipped directory and the agencies' real handlers."""
    return MemoryBus(catalogue, directory, kinds=KINDS, clock=clock)
