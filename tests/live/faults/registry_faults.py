"""Faults of the registry: slow, away, and lying, each while a schema id comes that no worker knows yet."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from random import Random

from cluster import until
from registry_proxy import RegistryProxy
from rig import Rig

from lienthong.stack import RegistryRight, registry_as
from streams.catalogue import load_catalogue
from streams.names import BUS, EventType
from streams.newer_schemas import LIST_LIFE_SECONDS
from streams.registry import ConfluentRegistry

__all__ = ["behind_proxy", "evolve", "trouble_registry"]

_SLOW_SECONDS = 5.0
_AWAY_SECONDS = 60.0
_TYPE = EventType("einvoice.received")


@contextlib.contextmanager
def behind_proxy(rig: Rig) -> Iterator[None]:
    """Let the workers of a run reach the registry through a go-between only."""
    with RegistryProxy(registry_as(rig.stores.plan, BUS)) as proxy:
        rig.proxy = proxy
        rig.environment = {**rig.environment, "LIENTHONG_REGISTRY__URL": proxy.url}
        yield


def trouble_registry(rig: Rig, chance: Random) -> None:
    """A slow registry, one that is away for a minute, and one that gives another schema for an id."""
    proxy: RegistryProxy = rig.proxy
    rig.strikes.want("slow answers")
    rig.strikes.want("refused requests")
    rig.strikes.want("lies")
    rig.until_done(0.15 + chance.random() / 20)
    proxy.slow_seconds = _SLOW_SECONDS
    evolve(rig, "noted_once")
    until("a slow answer", lambda: proxy.slowed, seconds=120)
    rig.strikes.note("slow answers", proxy.slowed)
    rig.until_done(0.35)
    proxy.slow_seconds, proxy.away = 0.0, True
    evolve(rig, "noted_twice")
    until("a refused request", lambda: proxy.refused, seconds=120)
    rig.linger(_AWAY_SECONDS)
    rig.snapshot()
    proxy.away = False
    rig.strikes.note("refused requests", proxy.refused)
    rig.until_done(0.6)
    with rig.load_held():
        # What is registered sooner after a worker's question is not known to it: decision 0011.
        time.sleep(LIST_LIFE_SECONDS)
    evolve(rig, "noted_thrice", lie=True)
    until("a lie", lambda: proxy.lied, seconds=120)
    rig.strikes.note("lies", proxy.lied)


def evolve(rig: Rig, field: str, *, lie: bool = False) -> None:
    """Register a schema with one more field, and let the load use it; where it is lied about, it must be refused."""
    spec = load_catalogue()[_TYPE]
    more = {"name": field, "type": ["null", "string"], "default": None, "doc": "A field of a newer version."}
    schema = {**spec.schema, "fields": [*spec.schema["fields"], more]}
    text = json.dumps(schema, ensure_ascii=False)
    with ConfluentRegistry(registry_as(rig.stores.plan, RegistryRight.REGISTER)) as registry:
        schema_id = registry.register(spec.registry_subject, text)
    if lie:
        rig.proxy.lies[schema_id] = json.dumps(_swapped(schema), ensure_ascii=False)
    note = {"id": schema_id, "schema": schema, "field": field, "expect": "wrong_schema" if lie else "applied"}
    fresh = rig.stage / "evolved.new"
    fresh.write_text(json.dumps(note), encoding="utf-8")
    fresh.replace(rig.stage / "evolved.json")


def _swapped(schema: dict[str, object]) -> dict[str, object]:
    """Give a schema under which the same bytes say something else: two fields of one type change their places."""
    renamed = {"seller_bank": "payment_method", "payment_method": "seller_bank"}
    fields: list[dict[str, object]] = schema["fields"]  # type: ignore[assignment] # a record's fields are a list
    return {**schema, "fields": [{**each, "name": renamed.get(str(each["name"]), each["name"])} for each in fields]}
