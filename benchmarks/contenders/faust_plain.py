"""
A plain Faust agent, as its manual writes one: `await topic.send` for each event.

That hands the record to the producer; Faust waits for all confirmations before each commit. What the manual leaves to
defaults is set in its favour: its compiled stream loop, a linger, no web server.
"""

from __future__ import annotations

import json
import sys

import faust
from work import enrich, tls

address, source, target, group, count = json.loads(sys.argv[1]), *sys.argv[2:6]
app = faust.App(
    group,
    broker=f"kafka://{address['bootstrap']}",
    broker_credentials=faust.SSLCredentials(tls(address)),
    web_enabled=False,
    topic_allow_declare=False,
    topic_disable_leader=True,
    table_standby_replicas=0,
    value_serializer="raw",
    key_serializer="raw",
    producer_acks=-1,
    producer_linger=0.005,
    cython_optimizations=True,
    worker_redirect_stdouts=False,
    store="memory://",
)
incoming, outgoing = app.topic(source), app.topic(target)
left = iter(range(int(count) - 1, -1, -1))


@app.agent(incoming)
async def enrich_event(stream: faust.StreamT) -> None:
    """Consume, enrich, produce."""
    async for event in stream.events():
        value, headers = enrich(list(event.message.headers), event.value)
        await outgoing.send(key=event.key, value=value, headers=headers)
        if next(left) == 0:
            await app.producer.flush()


app.finalize()
faust.Worker(app, loglevel="WARN", quiet=True).execute_from_commandline()
