"""What every outbox promises, an agency's as well as the bus's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from contract_events import row

from streams.store import Outbox, OutboxRow

Queue = Callable[[Sequence[OutboxRow]], Awaitable[None]]
"""Queues rows in a transaction of their own."""


class OutboxSuite:
    """The suite; a subclass gives `outbox` and `queue`."""

    async def test_rows_wait_in_the_order_in_which_they_were_queued(self, outbox: Outbox, queue: Queue) -> None:
        """The order holds within a transaction and from one to the next, whatever the ids are."""
        await queue([row("c"), row("a")])
        await queue([row("b")])

        entries = await outbox.pending(limit=10)

        assert [row("c"), row("a"), row("b")] == [entry.row for entry in entries]
        assert sorted(entry.sequence for entry in entries) == [entry.sequence for entry in entries]

    async def test_a_row_comes_back_byte_for_byte(self, outbox: Outbox, queue: Queue) -> None:
        """Key, value and headers survive, also empty, doubled and not UTF-8 ones, and no value at all."""
        sent = [row("a"), row("b", value=None), row("c", value=b"")]
        await queue(sent)

        assert sent == [entry.row for entry in await outbox.pending(limit=10)]

    async def test_a_row_known_by_id_is_not_queued_twice(self, outbox: Outbox, queue: Queue) -> None:
        """Neither in one transaction nor in the next, nor after it was published."""
        await queue([row("a"), row("a")])
        await queue([row("a")])
        [entry] = await outbox.pending(limit=10)
        await outbox.mark_published([entry.sequence])

        await queue([row("a"), row("b")])

        assert [row("b")] == [entry.row for entry in await outbox.pending(limit=10)]

    async def test_what_is_published_no_longer_waits(self, outbox: Outbox, queue: Queue) -> None:
        """Marking some rows leaves the others, and marking again changes nothing."""
        await queue([row(name) for name in "abc"])
        first, _, third = await outbox.pending(limit=10)

        await outbox.mark_published([first.sequence, third.sequence])
        await outbox.mark_published([first.sequence])

        assert [row("b")] == [entry.row for entry in await outbox.pending(limit=10)]

    async def test_no_more_rows_are_given_than_asked_for(self, outbox: Outbox, queue: Queue) -> None:
        """The oldest come first."""
        await queue([row(name) for name in "abc"])

        assert [row("a"), row("b")] == [entry.row for entry in await outbox.pending(limit=2)]

    async def test_one_relay_has_its_turn_at_a_time(self, outbox: Outbox, queue: Queue) -> None:
        """Whoever comes meanwhile is told so at once; rows are queued and read all the same; then it is free again."""
        async with outbox.turn() as first:
            await queue([row("a")])
            async with outbox.turn() as second:
                assert (first, second) == (True, False)
            assert len(await outbox.pending(limit=5)) == 1

        async with outbox.turn() as third:
            assert third

    async def test_several_writers_lose_nothing(self, outbox: Outbox, queue: Queue) -> None:
        """Rows of transactions that run at once are all there, those of one in its order."""
        await asyncio.gather(*(queue([row(f"{number}-{place}") for place in range(3)]) for number in range(6)))

        keys = [(entry.row.key or b"").decode() for entry in await outbox.pending(limit=100)]

        assert len(keys) == 18
        for number in range(6):
            own = [key for key in keys if key.startswith(f"{number}-")]
            assert sorted(own) == own
