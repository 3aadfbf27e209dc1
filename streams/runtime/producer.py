"""
The producer of stateless handlers: pipelined, and confirmed per batch.

librdkafka gathers what is handed to it while the next batch is being decoded; a confirmation settles one effect of the
batch that it belongs to. Confirmations are served by `poll` on the event loop's own thread only, so that the counts
need no lock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from streams.errors import TransientError
from streams.kafka import KafkaAddress, producer_settings
from streams.runtime.fetch import Fetch
from streams.runtime.ledger import Ledger
from streams.store import OutboxRow

__all__ = ["BatchProducer"]

LIMIT = 4_000
"""Records handed over and not confirmed yet; above it the agent waits, which holds the fetches back."""

LIMIT_BYTES = 64 * 1024 * 1024
"""The same of their values: a few thousand of the largest would fill the memory while a broker is slow."""

_TICK_SECONDS = 0.002
_POLL_EVERY = 128


class BatchProducer:
    """
    Hands records to Kafka on behalf of batches.

    Args:
        address: the cluster.
        client_id: shown in the broker's log.
        ledger: told of each confirmation.
        failed: called with what Kafka refused; the process must end.
    """

    def __init__(
        self, address: KafkaAddress, *, client_id: str, ledger: Ledger, failed: Callable[[Exception], None]
    ) -> None:
        self._producer = Producer(producer_settings(address, client_id=client_id))
        self._ledger = ledger
        self._failed = failed
        self._unconfirmed = 0
        self._unconfirmed_bytes = 0
        self._since_poll = 0

    @property
    def unconfirmed(self) -> int:
        """How many records wait for their confirmation."""
        return self._unconfirmed

    def emitter(self, fetch: Fetch) -> Callable[[OutboxRow], None]:
        """Give what a pipeline calls for each record of a fetch's work, which ends only when all are confirmed."""

        def confirmed(error: KafkaError | None, message: Message) -> None:
            self._unconfirmed -= 1
            self._unconfirmed_bytes -= len(message)
            if error is None:
                fetch.settle(self._ledger)
            else:
                self._failed(TransientError(f"Kafka did not take a record: {error.str()}"))

        produce, poll = self._producer.produce, self._producer.poll

        def emit(row: OutboxRow) -> None:
            size = len(row.value or b"")
            fetch.left += 1
            self._unconfirmed += 1
            self._unconfirmed_bytes += size
            while True:
                try:
                    produce(row.topic, value=row.value, key=row.key, headers=row.headers, on_delivery=confirmed)  # type: ignore[arg-type] # its stubs want a list
                except BufferError:
                    poll(0.05)
                except KafkaException as error:
                    self._unconfirmed -= 1
                    self._unconfirmed_bytes -= size
                    fetch.left -= 1
                    raise TransientError(f"Kafka does not take records: {error}") from error
                else:
                    break
            self._since_poll += 1
            if self._since_poll >= _POLL_EVERY:
                self._since_poll = 0
                poll(0)

        return emit

    async def room(self) -> None:
        """Wait until few enough records are unconfirmed."""
        while self._unconfirmed > LIMIT or self._unconfirmed_bytes > LIMIT_BYTES:
            self._producer.poll(0)
            await asyncio.sleep(_TICK_SECONDS)

    async def run(self, stop: asyncio.Event) -> None:
        """Serve confirmations until told to stop and all are in."""
        while not stop.is_set() or self._unconfirmed:
            self._producer.poll(0)
            await asyncio.sleep(_TICK_SECONDS if self._unconfirmed else 10 * _TICK_SECONDS)
