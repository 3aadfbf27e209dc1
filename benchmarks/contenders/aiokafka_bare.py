"""A bare aiokafka loop, pipelined: one batch is decoded while the one before is being confirmed."""

from __future__ import annotations

import asyncio
import json
import sys

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from work import enrich, tls

address, source, target, group, count = json.loads(sys.argv[1]), *sys.argv[2:6]


async def main() -> None:
    """Consume, enrich, produce, commit."""
    where = {"bootstrap_servers": address["bootstrap"], "security_protocol": "SSL", "ssl_context": tls(address)}
    consumer = AIOKafkaConsumer(source, **where, group_id=group, enable_auto_commit=False, auto_offset_reset="earliest")
    producer = AIOKafkaProducer(**where, acks="all", enable_idempotence=True, linger_ms=5, max_batch_size=131072)
    await consumer.start()
    await producer.start()
    left, before = int(count), None
    while left > 0:
        fetched = await consumer.getmany(timeout_ms=500, max_records=500)
        sent = []
        for records in fetched.values():
            for record in records:
                value, headers = enrich(list(record.headers), record.value)
                sent.append(await producer.send(target, value, record.key, headers=headers))
            left -= len(records)
        ends = {partition: records[-1].offset + 1 for partition, records in fetched.items()}
        if before is not None:
            await settle(consumer, *before)
        before = (sent, ends)
    if before is not None:
        await settle(consumer, *before)
    await producer.stop()
    await consumer.stop()


async def settle(consumer: AIOKafkaConsumer, sent: list[asyncio.Future[object]], ends: dict[object, int]) -> None:
    """Wait for a batch's confirmations and commit it."""
    await asyncio.gather(*sent)
    if ends:
        await consumer.commit(ends)


asyncio.run(main())
