"""Schemas learnt at run time: asked for rarely, judged before they are used."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import pytest
from bad_schemas import record

from streams.catalogue import load_catalogue
from streams.codec import Codec
from streams.errors import TransientError, UndecodableError
from streams.names import EventType
from streams.newer_schemas import LIST_LIFE_SECONDS, NewerSchemas
from streams.registry import preload_ids, register_all
from streams.testing import MemoryRegistry

CATALOGUE = load_catalogue()
SIGHTED, FLAGGED = EventType("shipment.sighted"), EventType("shipment.flagged")
LATER = {"name": "later", "type": ["null", "string"], "default": None}


@dataclass
class Setting:
    """A registry, what learns from it, and a clock that the test moves."""

    registry: MemoryRegistry
    newer: NewerSchemas
    seconds: list[float]

    def hold(self, schema: Any, *, under: EventType = SIGHTED) -> int:
        """Let the registry hold a schema that nobody checked."""
        text = schema if isinstance(schema, str) else json.dumps(schema)
        schema_id = max(self.registry.texts) + 1
        self.registry.texts[schema_id] = text
        self.registry._subjects[CATALOGUE[under].registry_subject].append(schema_id)
        return schema_id

    async def refusal(self, schema_id: int, event_type: EventType = SIGHTED) -> str:
        """Say by which code an id is refused."""
        with pytest.raises(UndecodableError) as caught:
            await self.newer.learn(schema_id, event_type)
        return caught.value.code


@pytest.fixture
def setting() -> Setting:
    """A registry with the shipped schemas, and a codec that knows them."""
    registry, seconds = MemoryRegistry(), [100.0]
    register_all(registry, CATALOGUE)
    codec = Codec(catalogue=CATALOGUE, ids=preload_ids(registry, CATALOGUE))
    return Setting(registry, NewerSchemas(codec=codec, registry=registry, monotonic=lambda: seconds[0]), seconds)


def sighted(**more: Any) -> dict[str, Any]:
    """Give the schema of a sighting with one more field, changed as told."""
    schema = CATALOGUE[SIGHTED].schema
    return {**schema, "fields": [*schema["fields"], LATER], **more}


async def test_a_flood_of_unknown_ids_costs_one_question(setting: Setting) -> None:
    """All are refused; after a while one more is asked, for it could have become one."""
    for schema_id in range(1_000, 2_000):
        assert await setting.refusal(schema_id) == "unknown_schema"
    assert setting.registry.asked == 1

    setting.seconds[0] += LIST_LIFE_SECONDS
    schema_id = setting.hold(sighted())
    await setting.newer.learn(schema_id, SIGHTED)

    assert setting.registry.asked == 2
    assert schema_id in setting.newer.codec.writers


async def test_many_that_wait_for_one_answer_ask_once(setting: Setting) -> None:
    """Whoever comes while a question is under way gets its answer."""
    schema_id = setting.hold(sighted())

    await asyncio.gather(*(setting.newer.learn(schema_id, SIGHTED) for _ in range(50)))

    assert setting.registry.asked == 1


async def test_a_registry_that_is_away_is_waited_for(setting: Setting) -> None:
    """It is no reason to refuse anything; the question is asked again."""
    schema_id = setting.hold(sighted())
    setting.registry.away = True
    with pytest.raises(TransientError):
        await setting.newer.learn(schema_id, SIGHTED)

    setting.registry.away = False
    await setting.newer.learn(schema_id, SIGHTED)

    assert setting.newer.codec.writers[schema_id][0] == SIGHTED


@pytest.mark.parametrize(
    "held",
    [
        sighted(name="Other"),
        sighted(namespace="x.y"),
        sighted(fields=[{"name": "x", "type": ["null", "vn.lienthong.events.ShipmentSighted"]}]),
        sighted(fields=[{"name": "x", "type": {"type": "array", "items": "null"}}]),
        record(["null", "t.R"]),
        CATALOGUE[FLAGGED].text,
        "no JSON",
        "[" * 50_000,
        '"string"',
    ],
    ids=[
        "another name",
        "another space",
        "recursive",
        "no bytes",
        "stranger",
        "another type's",
        "no JSON",
        "deep",
        "text",
    ],
)
async def test_what_the_registry_gives_is_judged(setting: Setting, held: Any) -> None:
    """A wrong schema under an id of the right subject: refused, nothing is decoded by it, and nothing asked twice."""
    schema_id = setting.hold(held)

    assert await setting.refusal(schema_id) == "wrong_schema"
    setting.seconds[0] += LIST_LIFE_SECONDS
    assert await setting.refusal(schema_id) == "wrong_schema"

    assert schema_id not in setting.newer.codec.writers


async def test_a_registry_that_gives_another_text_for_an_id_is_not_believed(setting: Setting) -> None:
    """Two fields that changed their names read well, and each would say what the other one means."""
    schema_id = setting.hold(sighted())
    swapped = json.loads(setting.registry.texts[schema_id])
    for each in swapped["fields"]:
        each["name"] = {"place": "remark", "remark": "place"}.get(each["name"], each["name"])
    setting.registry.lies[schema_id] = json.dumps(swapped)

    assert await setting.refusal(schema_id) == "wrong_schema"
    assert schema_id not in setting.newer.codec.writers


async def test_another_types_schema_is_none_of_this_one(setting: Setting) -> None:
    """Its id is on another subject's list."""
    schema_id = setting.hold(sighted(), under=FLAGGED)

    assert await setting.refusal(schema_id) == "unknown_schema"
