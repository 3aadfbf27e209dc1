"""A bare confluent-kafka loop, pipelined: commits what is confirmed, while the next batch is in work."""

from __future__ import annotations

import json
import sys
from collections import deque

from confluent_kafka import Consumer, Producer, TopicPartition
from work import enrich, librdkafka

address, source, target, group, count = json.loads(sys.argv[1]), *sys.argv[2:6]
consumer = Consumer(
    {
        **librdkafka(address),
        "group.id": group,
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "isolation.level": "read_committed",
    }
)
producer = Producer({**librdkafka(address), "acks": "all", "enable.idempotence": True, "linger.ms": 5})
consumer.subscribe([source])
batches: deque[dict[str, object]] = deque()
left = int(count)
while left > 0 or batches:
    messages = consumer.consume(500, 0.2) if left > 0 else []
    if messages:
        batch: dict[str, object] = {"left": len(messages), "ends": {}}

        def confirmed(error: object, _message: object, batch: dict[str, object] = batch) -> None:
            """Count one confirmation."""
            if error is not None:
                raise SystemExit(str(error))
            batch["left"] -= 1  # type: ignore[operator] # a count

        for index, message in enumerate(messages):
            value, headers = enrich(message.headers(), message.value())
            while True:
                try:
                    producer.produce(target, value, message.key(), headers=headers, on_delivery=confirmed)
                    break
                except BufferError:
                    producer.poll(0.05)
            if index % 128 == 0:
                producer.poll(0)
            batch["ends"][(message.topic(), message.partition())] = message.offset() + 1  # type: ignore[index] # a dict
        batches.append(batch)
        left -= len(messages)
    producer.poll(0 if messages else 0.01)
    while batches and batches[0]["left"] == 0:
        ends = batches.popleft()["ends"]
        if len(batches) <= 1:
            consumer.commit(offsets=[TopicPartition(*tp, end) for tp, end in ends.items()], asynchronous=True)  # type: ignore[attr-defined] # a dict
consumer.close()
