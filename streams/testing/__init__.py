"""In-memory implementations of the ports, for tests; no setting can choose one."""

from streams.testing.agency_store import MemoryAgencyStore
from streams.testing.bus import MemoryAgency, MemoryBus
from streams.testing.bus_store import MemoryBusStore
from streams.testing.documents import MemoryDocumentStore
from streams.testing.keyring import MemoryKeyring
from streams.testing.publisher import MemoryPublisher
from streams.testing.registry import MemoryRegistry

__all__ = [
    "MemoryAgency",
    "MemoryAgencyStore",
    "MemoryBus",
    "MemoryBusStore",
    "MemoryDocumentStore",
    "MemoryKeyring",
    "MemoryPublisher",
    "MemoryRegistry",
]
