"""FastStream on aiokafka: a batch subscriber that publishes without waiting and returns when all is confirmed."""

from __future__ import annotations

import asyncio
import json
import sys

from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.security import BaseSecurity
from work import tls, transform

address, source, target, group, count = json.loads(sys.argv[1]), *sys.argv[2:6]
broker = KafkaBroker(
    address["bootstrap"],
    security=BaseSecurity(ssl_context=tls(address), use_ssl=True),
    acks="all",
    enable_idempotence=True,
    linger_ms=5,
    max_batch_size=131072,
)
app = FastStream(broker)


@broker.subscriber(
    source,
    group_id=group,
    auto_offset_reset="earliest",
    batch=True,
    max_records=500,
    ack_policy=AckPolicy.NACK_ON_ERROR,
)
async def enrich_events(values: list[bytes], message: KafkaMessage) -> None:
    """Enrich one batch; FastStream commits when this returns."""
    sent = []
    for value, headers, record in zip(values, message.batch_headers, message.raw_message, strict=True):
        content, attributes = transform(headers, value)
        sent.append(await broker.publish(content, target, key=record.key, headers=attributes, no_confirm=True))
    await asyncio.gather(*sent)


asyncio.run(app.run())
