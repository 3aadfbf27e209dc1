"""
Does Kafka answer? One small question on a connection of its own, of a broker's kind that is allowed before any login.

The clients that do the work cannot be asked: an idle one does not know, and one that is busy trying again says nothing.
"""

from __future__ import annotations

import asyncio
import ssl
import struct

from streams.kafka import KafkaAddress

__all__ = ["why_kafka_is_away"]

_API_VERSIONS = 18
_CORRELATION = 7
_CLIENT = b"lienthong.probe"
_HEAD = struct.Struct(">hhih")
_MOST_BYTES = 100_000


async def why_kafka_is_away(address: KafkaAddress, *, timeout_seconds: float = 3.0) -> str | None:
    """
    Ask the bootstrap brokers, one after the other, which requests they know.

    Args:
        address: the cluster.
        timeout_seconds: for all of them together.

    Returns:
        None as soon as one answers, else a sentence.
    """
    context = address.tls()
    reason = "no broker is named"
    try:
        async with asyncio.timeout(timeout_seconds):
            for each in address.bootstrap.split(","):
                host, _, port = each.strip().rpartition(":")
                try:
                    await _ask(host.strip("[]"), int(port), context)
                except (OSError, ValueError, EOFError) as error:
                    reason = f"{each} does not answer: {error or type(error).__name__}"
                else:
                    return None
    except TimeoutError:
        return f"no broker of {address.bootstrap} answered within {timeout_seconds:g} s"
    return reason


async def _ask(host: str, port: int, context: ssl.SSLContext | None) -> None:
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        request = _HEAD.pack(_API_VERSIONS, 0, _CORRELATION, len(_CLIENT)) + _CLIENT
        writer.write(len(request).to_bytes(4, "big") + request)
        size = int.from_bytes(await reader.readexactly(4), "big")
        correlation = int.from_bytes(await reader.readexactly(4), "big")
        if correlation != _CORRELATION or size > _MOST_BYTES:
            raise ValueError("what answers there is no Kafka")
    finally:
        writer.close()
