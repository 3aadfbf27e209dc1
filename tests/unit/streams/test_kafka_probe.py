"""Whether Kafka answers, asked of servers on loopback that answer as they like."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from streams.kafka import KafkaAddress
from streams.kafka_probe import why_kafka_is_away

Answer = Callable[[bytes], bytes | None]
"""What a server says to a request; None: nothing, ever."""


@asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[str]:
    """Run a server; gives HOST:PORT."""
    stop = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))
        reply = answer(request)
        if reply is None:
            await stop.wait()
        else:
            writer.write(reply)
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        stop.set()


def broker(request: bytes) -> bytes:
    """Answer as a broker does: the correlation, no error, no versions."""
    key, version, correlation, length = struct.unpack_from(">hhih", request)
    assert (key, version, len(request)) == (18, 0, 10 + length)
    return struct.pack(">iihi", 10, correlation, 0, 0)


async def ask(*addresses: str, timeout_seconds: float = 3.0) -> str | None:
    """Ask the brokers at these addresses."""
    return await why_kafka_is_away(KafkaAddress(bootstrap=",".join(addresses)), timeout_seconds=timeout_seconds)


async def test_one_broker_that_answers_is_enough() -> None:
    """The first may be away."""
    async with server(broker) as address:
        assert await ask("127.0.0.1:1", address) is None


async def test_none_that_answers_is_told_with_its_address() -> None:
    """Nobody listens at port 1."""
    assert (await ask("127.0.0.1:1") or "").startswith("127.0.0.1:1 does not answer")
    assert await ask("") is not None


@pytest.mark.parametrize("reply", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", b"\0\0"], ids=["http", "closed", "cut"])
async def test_what_is_no_kafka_is_no_answer(reply: bytes) -> None:
    """Something else may listen on a port of that number."""
    async with server(lambda _request: reply) as address:
        assert (await ask(address) or "").startswith(f"{address} does not answer: ")


async def test_a_broker_that_takes_the_connection_and_is_silent_is_away() -> None:
    """As one that was stopped in the middle of its life."""
    async with server(lambda _request: None) as address:
        assert await ask(address, timeout_seconds=0.05) == f"no broker of {address} answered within 0.05 s"
