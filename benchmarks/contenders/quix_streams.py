"""Quix Streams as its manual writes it: one function in a dataframe; it flushes the producer before it commits."""

from __future__ import annotations

import json
import sys
from typing import Any

from quixstreams import Application
from quixstreams.kafka import ConnectionConfig
from work import librdkafka, transform

address, source, target, group, count = json.loads(sys.argv[1]), *sys.argv[2:6]
app = Application(
    broker_address=ConnectionConfig.from_librdkafka_dict(librdkafka(address)),
    consumer_group=group,
    auto_offset_reset="earliest",
    auto_create_topics=False,
    producer_extra_config={"acks": "all", "linger.ms": 5},
    loglevel="WARNING",
)
incoming = app.topic(source, key_deserializer="bytes", value_deserializer="bytes")
outgoing = app.topic(target, key_serializer="bytes", value_serializer="bytes")


def enrich(value: bytes, _key: Any, _timestamp: int, headers: Any) -> tuple[bytes, dict[str, str]]:
    """Enrich one event."""
    return transform({name: content.decode() for name, content in headers}, value)


app.dataframe(incoming).apply(enrich, metadata=True).set_headers(
    lambda enriched, _key, _timestamp, _headers: [(name, text.encode()) for name, text in enriched[1].items()]
).apply(lambda enriched: enriched[0]).to_topic(outgoing)
app.run()
