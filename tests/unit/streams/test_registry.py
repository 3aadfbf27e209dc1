"""Ids at start: registering, looking up, and comparing with what is shipped."""

from __future__ import annotations

import io
import json

import fastavro
import pytest
from paper_province import SURVEILLANCE, as_record, suspicion

from streams.catalogue import Catalogue, load_catalogue
from streams.errors import ConfigurationError, TransientError, UndecodableError
from streams.names import EventType
from streams.registry import preload_ids, register_all
from streams.testing import MemoryBus, MemoryRegistry

SUSPECTED = EventType("seller.suspected")


@pytest.fixture
def registry() -> MemoryRegistry:
    """Give an empty registry."""
    return MemoryRegistry()


def test_registering_gives_every_type_an_id_once(registry: MemoryRegistry, catalogue: Catalogue) -> None:
    """The first time all are new, the second time none, with the same ids; workers look up the same."""
    first, second = register_all(registry, catalogue), register_all(registry, catalogue)

    assert sorted(catalogue.types) == [each.type for each in first]
    assert ({True}, {False}) == ({each.new for each in first}, {each.new for each in second})
    ids = {each.type: each.schema_id for each in second}
    assert {each.type: each.schema_id for each in first} == ids
    assert ids == preload_ids(registry, catalogue)


def test_a_lost_registry_is_refilled(registry: MemoryRegistry, catalogue: Catalogue) -> None:
    """A worker says what to do; provisioning does it, and then all ids are there again."""
    register_all(registry, catalogue)
    registry.lose_everything()
    with pytest.raises(ConfigurationError) as caught:
        preload_ids(registry, catalogue)
    assert (caught.value.code, "lienthong provision" in str(caught.value)) == ("schema_not_registered", True)

    register_all(registry, catalogue)

    assert set(catalogue.types) == set(preload_ids(registry, catalogue))


@pytest.mark.parametrize("held", ['{"type": "record", "name": "Other", "fields": []}', None])
def test_a_changed_registry_is_found(registry: MemoryRegistry, catalogue: Catalogue, held: str | None) -> None:
    """An id that holds another schema, or none, would decode every event to something else."""

    class Forged(MemoryRegistry):
        """Says one thing and holds another."""

        def schema_text(self, schema_id: int) -> str | None:
            del schema_id
            return held

    forged = Forged()
    for start in (register_all, preload_ids):
        with pytest.raises(ConfigurationError) as caught:
            start(forged, catalogue)
        assert caught.value.code == "schema_mismatch"
    assert registry.texts == {}


def test_a_registry_that_is_away_is_transient(registry: MemoryRegistry, catalogue: Catalogue) -> None:
    """Try later; no id is guessed."""
    registry.away = True

    for start in (register_all, preload_ids):
        with pytest.raises(TransientError):
            start(registry, catalogue)


async def test_a_newer_writers_schema_is_learnt_once(bus: MemoryBus) -> None:
    """An id that a newer process registered is asked for, read, and from then on known without asking."""
    spec = bus.codec.catalogue[SUSPECTED]
    later = {"name": "later", "type": ["null", "string"], "default": None, "doc": "Sau này (later)."}
    newer = json.dumps({**spec.schema, "fields": [*spec.schema["fields"], later]})
    schema_id = bus.registry.register(spec.registry_subject, newer)
    sent = await bus.agencies[SURVEILLANCE].sender.prepare(suspicion(), at=bus.clock())
    value = encoded(newer, schema_id, {**sent.event.data, "later": "x"})

    event = await bus.reader.read(as_record(sent.row, value=value))
    bus.registry.away = True
    again = await bus.reader.read(as_record(sent.row, value=value))

    assert sent.event == event == again


async def test_a_field_that_the_bus_does_not_know_reaches_nobody(bus: MemoryBus) -> None:
    """No entry of the directory can grant it, not even to who is granted all others."""
    spec = bus.codec.catalogue[SUSPECTED]
    later = {"name": "later", "type": ["null", "string"], "default": None, "doc": "Sau này (later)."}
    newer = json.dumps({**spec.schema, "fields": [*spec.schema["fields"], later]})
    schema_id = bus.registry.register(spec.registry_subject, newer)
    sent = await bus.agencies[SURVEILLANCE].sender.prepare(suspicion(), at=bus.clock())

    await bus.admit([as_record(sent.row, value=encoded(newer, schema_id, {**sent.event.data, "later": "a secret"}))])

    copies = [row for row in bus.kafka.rows if row.topic.startswith("lt.inbox.")]
    assert len(copies) == 4
    assert [row.topic for row in copies if b"a secret" in (row.value or b"")] == []


def encoded(schema: str, schema_id: int, data: object) -> bytes:
    """Encode as another writer does."""
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, fastavro.schema.parse_schema(json.loads(schema)), data)
    return b"\x00" + schema_id.to_bytes(4, "big") + buffer.getvalue()


async def test_an_id_of_another_subject_is_not_learnt(bus: MemoryBus) -> None:
    """A schema that the registry holds for somebody else's topic does not make a value of this one."""
    schema_id = bus.registry.register("strangers-value", '{"type": "record", "name": "S", "fields": []}')
    row = (await bus.agencies[SURVEILLANCE].sender.prepare(suspicion(), at=bus.clock())).row

    for unknown in (schema_id, 4_000_000_000):
        with pytest.raises(UndecodableError) as caught:
            await bus.reader.read(as_record(row, value=b"\x00" + unknown.to_bytes(4, "big") + b"x"))
        assert caught.value.code == "unknown_schema"


def test_a_refilled_registry_gives_each_schema_the_id_it_had() -> None:
    """Types that came later and sort earlier change nothing: records carry the ids for ever."""
    catalogue, first = load_catalogue(), MemoryRegistry()
    older = Catalogue(types={name: spec for name, spec in catalogue.types.items() if name != "audit.recorded"})
    register_all(first, older)
    remembered = {each.fingerprint: each.schema_id for each in register_all(first, catalogue)}

    refilled = register_all(MemoryRegistry(), catalogue, remembered=remembered)

    assert remembered == {each.fingerprint: each.schema_id for each in refilled}


def test_a_registry_that_gives_another_id_is_not_used() -> None:
    """Somebody registered something else first."""
    catalogue, registry = load_catalogue(), MemoryRegistry()
    remembered = {each.fingerprint: each.schema_id for each in register_all(MemoryRegistry(), catalogue)}
    registry.register("other", '{"type":"record","name":"Other","fields":[]}')

    with pytest.raises(ConfigurationError, match="restore the registry"):
        register_all(registry, catalogue, remembered=remembered)
