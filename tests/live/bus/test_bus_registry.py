"""The registry's contract, held against the real Apicurio."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from province import Province
from registry_suite import RegistrySuite

from streams.registry import ConfluentRegistry

pytestmark = pytest.mark.live


class TestApicurioRegistry(RegistrySuite):
    """Apicurio by its Confluent interface."""

    @pytest.fixture
    def registry(self, province: Province) -> Iterator[ConfluentRegistry]:
        """Give the province's registry; our own schemas were registered before anything that a test adds."""
        with ConfluentRegistry(province.registry) as registry:
            yield registry

    @pytest.fixture
    def subject(self) -> str:
        """Name a subject that nobody else uses."""
        return f"lt.thing.made-{uuid.uuid4().hex}-value"
