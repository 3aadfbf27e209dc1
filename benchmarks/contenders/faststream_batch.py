"""FastStream on aiokafka: a batch subscriber that publishes without waiting and returns when all is confirmed."""

from __future__ import annotations

import asyncio
import sys

from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker, KafkaMessage
from work import transform

bootstrap, source, target, group, count = sys.argv[1:6]
broker = KafkaBroker(bootstrap, acks="all", enable_idempotence=True, linger_ms=5, max_batch_size=131072)
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
