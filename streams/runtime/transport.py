"""
Faust's aiokafka transport, with whole fetches as stream items and commits from the ledger.

Faust keeps the agents, their supervision, group membership and the life cycle. Its drain loop makes four tasks for
each message and its offset bookkeeping walks over unfinished messages (faust-streaming issues 606 and 596), so these
two are replaced, not patched: fetch, drain, commit and the drain before a rebalance are ours. Private names of both
packages are used, which is why they are pinned exactly and the fault tests run in CI.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import structlog
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.errors import ConsumerStoppedError
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers import TRANSPORTS
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from streams.runtime.fetch import Fetch
from streams.runtime.ledger import Batch, HoleError, Ledger, Partition
from streams.runtime.partition_records import PartitionRecords
from streams.tolerant_records import let_aiokafka_read_anything

__all__ = ["SCHEME", "BatchConsumer", "BatchTransport", "install"]

SCHEME = "batch"
"""Broker addresses of this transport begin with `batch://`."""

DRAIN_SECONDS = 8.0
"""How long a rebalance or a stop waits for begun batches; what is not finished then is read again."""

_LAST_COMMIT_SECONDS = 3.0
"""How long a rebalance or a stop waits for its commit; what Kafka did not take by then is read again."""

_LEAVE_SECONDS = 4.0
"""How long a stop waits to leave the group; aiokafka alone would ask a broker that is away for half a minute."""

_FETCH_LEAST_BYTES = 65_536
_FETCH_WAIT_MS = 40
"""
So long a broker gathers what comes, unless it has so much before (decision 0017).

A transaction costs hardly more for twenty records than for five: to fetch each record at once takes a machine's whole
time at a tenth of its rate, and then everything waits for a processor.
"""

_IDLE_SECONDS = 1.0
_TICK_SECONDS = 0.005

_log = structlog.get_logger(__name__)


def install() -> None:
    """Let Faust find this transport by its scheme, by Faust's own means, and aiokafka read what it cannot."""
    let_aiokafka_read_anything()
    fetcher.PartitionRecords = PartitionRecords
    TRANSPORTS.aliases[SCHEME] = f"{__name__}:BatchTransport"


class _FetchThread(driver.AIOKafkaConsumerThread):
    """The consumer's thread: a fetch and its entry in the ledger are one step, with no await between."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        # Faust reads uncommitted records outside its own transactions; aiokafka takes this when it starts.
        consumer._isolation_level = "read_committed"  # noqa: SLF001 -- no setting of Faust reaches it
        # One request at a time goes to a broker: while it waits for idle partitions, others' records would wait, too.
        consumer._fetch_max_wait_ms = _FETCH_WAIT_MS  # noqa: SLF001 -- as above
        consumer._fetch_min_bytes = _FETCH_LEAST_BYTES  # noqa: SLF001 -- as above
        return consumer

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: Any,
        timeout: float | None = None,  # noqa: ASYNC109 -- Faust's signature
        max_records: int | None = None,
    ) -> dict[Any, list[Batch]]:
        if not self.consumer.flow_active:
            return {}
        fetcher = consumer._fetcher  # noqa: SLF001 -- Faust's own driver does the same
        if consumer._closed or fetcher._closed:  # noqa: SLF001 -- as above
            raise ConsumerStoppedError
        with fetcher._subscriptions.fetch_context():  # noqa: SLF001 -- else aiokafka thinks us idle and leaves the group
            batches = await self._fetch_once(fetcher, active_partitions, max_records)
            if not batches:
                waiter = fetcher._create_fetch_waiter()  # noqa: SLF001 -- the wait of fetched_records, without its fetch
                await asyncio.wait([waiter], timeout=timeout)
                if not waiter.done():
                    waiter.cancel()
                elif not waiter.cancelled():
                    waiter.result()  # an authorisation error shows here
                batches = await self._fetch_once(fetcher, active_partitions, max_records)
        return batches

    async def _fetch_once(
        self, fetcher: Any, active: frozenset[Any], max_records: int | None
    ) -> dict[Any, list[Batch]]:
        subscriptions = fetcher._subscriptions  # noqa: SLF001 -- as in Faust's driver
        if subscriptions.reassignment_in_progress:
            await subscriptions.wait_for_assignment()
        if subscriptions.subscription is None or not self.consumer.flow_active:
            return {}
        assignment = subscriptions.subscription.assignment
        if assignment is None:
            return {}
        wanted = frozenset(tp for tp in active if tp in assignment.tps)
        if not wanted:
            return {}  # an empty set would mean all partitions to aiokafka
        states = {tp: assignment.state_value(tp) for tp in wanted}
        before = {tp: state._position for tp, state in states.items()}  # noqa: SLF001 -- `position` may not be set yet
        records = await fetcher.fetched_records(wanted, timeout=0, max_records=max_records)  # does not suspend
        ledger: Ledger = self.consumer.ledger  # type: ignore[attr-defined] # our own consumer class
        at = time.monotonic()
        found: dict[Any, list[Batch]] = {}
        for tp, start in before.items():
            end = states[tp]._position  # noqa: SLF001 -- as above
            if start is not None and end is not None and end > start:
                batch = ledger.fetched(
                    Partition(tp.topic, tp.partition),
                    epoch=assignment,
                    start=start,
                    end=end,
                    records=records.get(tp, ()),
                    at=at,
                )
                if batch.records:
                    found[tp] = [batch]
        return found

    async def on_thread_stop(self) -> None:
        """Leave the group and close the connections; where no broker answers, the group finds out by itself."""
        try:
            async with asyncio.timeout(_LEAVE_SECONDS):
                await super().on_thread_stop()
        except TimeoutError:
            _log.warning("left the group without telling it", seconds=_LEAVE_SECONDS)

    async def commit_ranges(self, offsets: Mapping[Partition, int]) -> None:
        """Commit, on this thread, and raise what aiokafka raises."""
        await self.call_thread(self._commit_ranges, offsets)

    async def _commit_ranges(self, offsets: Mapping[Partition, int]) -> None:
        consumer = self._ensure_consumer()
        await consumer.commit(
            {TopicPartition(each.topic, each.number): OffsetAndMetadata(offset, "") for each, offset in offsets.items()}
        )


class BatchConsumer(driver.Consumer):
    """
    A consumer whose messages are whole fetches.

    Set `commit_failed` to be told of each commit that Kafka did not take. `confirmed` is called with what is about to
    be committed; when it raises, that is tried again later.
    """

    ledger: Ledger
    commit_failed: Callable[[], None]
    confirmed: Callable[[Mapping[Partition, int]], Awaitable[None]] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ledger = Ledger()
        self.commit_failed = lambda: None
        self._room = asyncio.Event()
        self._commit_failing_since: float | None = None

    def _new_consumer_thread(self) -> _FetchThread:
        return _FetchThread(self, loop=self.loop, beacon=self.beacon)

    def begun(self) -> None:
        """Let the next fetch come: the one that waited is in work, or was given back."""
        self._room.set()

    def resume_partitions(self, tps: Any) -> None:
        """Wake the drain loop at once; Faust's would sleep for a second."""
        super().resume_partitions(tps)
        self._room.set()

    async def _drain_messages(self, fetcher: Any) -> None:
        try:
            async for fetch in self._fetches(fetcher):
                await self.callback(_as_message(fetch, self.app.consumer_generation_id))
        except self.consumer_stopped_errors:
            if not self.transport.app.should_stop:
                raise
        except HoleError as error:
            await self.app.crash(error)
            raise

    async def _fetches(self, fetcher: Any) -> AsyncIterator[Fetch]:
        while not (self.should_stop or fetcher.should_stop):
            if not self.flow_active:
                await self.wait(self.can_resume_flow)  # type: ignore[arg-type] # mode types its own events only
                continue
            self._room.clear()
            active = set(self._get_active_partitions())  # a copy: Faust changes its own while we wait
            if not active or self.ledger.waiting():
                # One fetch ahead: what comes meanwhile is read together afterwards, not in ever so many small pieces.
                await _within(self._room.wait(), _IDLE_SECONDS)
                continue
            records = await self._getmany(active_partitions=active, timeout=_IDLE_SECONDS)
            batches = [batch for found in records.values() for batch in found if not batch.dead]
            if batches:
                yield Fetch(batches)

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:  # noqa: ARG002, FBT001, FBT002 -- Faust's signature
        """Commit the end of each partition's finished prefix; whatever goes wrong is tried again at the next tick."""
        if self._commit_fut is not None:
            # Faust's own wait swallows a cancellation, and then nothing could bound it.
            await asyncio.wait([self._commit_fut])
            return False
        self._commit_fut = asyncio.get_running_loop().create_future()
        try:
            return await self._commit_now()
        finally:
            done, self._commit_fut = self._commit_fut, None
            if done is not None and not done.done():
                done.set_result(None)

    async def _commit_now(self) -> bool:
        if self._thread._consumer is None:  # noqa: SLF001 -- start-up failed: do not hide the first error
            return False
        assigned = [Partition(tp.topic, tp.partition) for tp in self.assignment()]
        offsets = self.ledger.committable(assigned)
        if not offsets:
            return False
        try:
            if self.confirmed is not None:
                await self.confirmed(offsets)
            await self._thread.commit_ranges(offsets)  # type: ignore[attr-defined] # our own thread class
        except Exception as error:  # noqa: BLE001 -- a broker restart must not end the worker; the watchdog may
            now = time.monotonic()
            self._commit_failing_since = self._commit_failing_since or now
            self.commit_failed()
            _log.warning("commit put off", reason=repr(error), seconds=round(now - self._commit_failing_since, 1))
            return False
        self._commit_failing_since = None
        self.ledger.committed(offsets)
        return True

    async def wait_empty(self) -> None:
        """Let begun batches finish and commit them, before partitions are given back or the worker stops."""
        self.ledger.close()
        deadline = time.monotonic() + DRAIN_SECONDS
        while self.ledger.under_way() and time.monotonic() < deadline:  # noqa: ASYNC110 -- no event tells it
            await asyncio.sleep(_TICK_SECONDS)
        try:
            async with asyncio.timeout(_LAST_COMMIT_SECONDS):
                if not await self.commit():
                    await self.commit()  # the first call may have joined one that began before the last batch ended
        except TimeoutError:
            # It may still arrive, and does no harm: only what is durable is ever asked for.
            _log.warning("stopped waiting for a commit", seconds=_LAST_COMMIT_SECONDS)
        self.ledger.forget()

    async def perform_seek(self) -> None:
        """Take up a new assignment: everything fetched before is fetched again from the committed offsets."""
        self.ledger.forget()
        await super().perform_seek()
        self.ledger.reopen()

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust's checks look at bookkeeping that is not in use here; the worker's watchdog asks the ledger."""


class BatchTransport(driver.Transport):
    """Faust's aiokafka transport with our consumer."""

    Consumer = BatchConsumer


def _as_message(fetch: Fetch, generation: int) -> ConsumerMessage:
    """Make the one message that carries a whole fetch; Faust looks at topic, partition and offset only."""
    batch = fetch.batches[0]
    topic, number = batch.partition
    value: Any = fetch
    return ConsumerMessage(
        topic, number, batch.start, 0.0, 0, [], None, value, None, tp=TP(topic, number), generation_id=generation
    )


async def _within(waiting: Any, seconds: float) -> None:
    try:
        await asyncio.wait_for(waiting, seconds)
    except TimeoutError:
        return
