"""How to reach Kafka, and the producer: librdkafka, idempotent, confirmed by all in-sync replicas."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from streams.errors import TransientError
from streams.store import OutboxRow

__all__ = ["MAX_RECORD_BYTES", "METADATA_MAX_AGE_SECONDS", "KafkaAddress", "LibrdkafkaPublisher", "producer_settings"]

MAX_RECORD_BYTES = 2_097_152
"""
The largest record on a topic that the bus or an agency's worker writes alone.

Twice what an event topic takes: a copy or a quarantined record says more than the original, and one that Kafka would
not take would hold its partition for ever.
"""

METADATA_MAX_AGE_SECONDS = 10
"""
After so long a client asks again who leads, whatever it believes.

Its own default are five minutes; so long it can go on asking a leader that was paused, came back, and leads no more.
"""

_REQUEST_TIMEOUT_SECONDS = 10
_GIVE_UP_SECONDS = 35


@dataclass(frozen=True, slots=True)
class KafkaAddress:
    """
    A cluster and who we are there.

    Args:
        bootstrap: `HOST:PORT`, several by commas.
        username: SCRAM-SHA-512 user; None for a cluster without authentication (loopback only).
        password: of the user.
        ca_file: PEM file of the cluster's certificate authority; with it, TLS.
    """

    bootstrap: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None

    @property
    def protocol(self) -> str:
        """The security protocol's Kafka name."""
        tls = self.ca_file is not None
        return f"SASL_{'SSL' if tls else 'PLAINTEXT'}" if self.username else ("SSL" if tls else "PLAINTEXT")

    def librdkafka(self) -> dict[str, str]:
        """Give the settings for librdkafka."""
        return _present(
            {
                "bootstrap.servers": self.bootstrap,
                "security.protocol": self.protocol,
                "sasl.mechanism": "SCRAM-SHA-512" if self.username else None,
                "sasl.username": self.username,
                "sasl.password": self.password,
                "ssl.ca.location": self.ca_file,
            }
        )

    def kafka_python(self) -> dict[str, str]:
        """Give the settings for kafka-python."""
        return _present(
            {
                "bootstrap_servers": self.bootstrap,
                "security_protocol": self.protocol,
                "sasl_mechanism": "SCRAM-SHA-512" if self.username else None,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
                "ssl_cafile": self.ca_file,
            }
        )

    def aiokafka(self) -> dict[str, Any]:
        """Give the settings for aiokafka."""
        given = _present(
            {
                "bootstrap_servers": self.bootstrap,
                "security_protocol": self.protocol,
                "sasl_mechanism": "SCRAM-SHA-512" if self.username else None,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        )
        context = ssl.create_default_context(cafile=self.ca_file) if self.ca_file else None
        return given if context is None else {**given, "ssl_context": context}


def producer_settings(address: KafkaAddress, *, client_id: str) -> dict[str, str | int | bool]:
    """
    Give librdkafka's settings for every producer of ours: idempotent, confirmed by all in-sync replicas, in order.

    No record is given up alone, whatever happens to its leader: what comes after it would go on, and stand before it
    once it is written again. Whoever gives up throws the producer away with all that it holds.
    """
    return {
        **address.librdkafka(),
        "client.id": client_id,
        "acks": "all",
        "enable.idempotence": True,
        "linger.ms": 5,
        "topic.metadata.refresh.interval.ms": METADATA_MAX_AGE_SECONDS * 1000,
        "message.max.bytes": MAX_RECORD_BYTES,
        "enable.gapless.guarantee": True,
        "delivery.timeout.ms": 0,  # without end
        # A leader that hangs is found out by this alone; as long as librdkafka's own minute every partition would wait.
        "socket.timeout.ms": _REQUEST_TIMEOUT_SECONDS * 1000,
        "log_level": 3,
    }


class LibrdkafkaPublisher:
    """
    Writes records by librdkafka; `flush` waits in a thread, so the event loop never does.

    Args:
        address: the cluster.
        client_id: shown in the broker's log.
    """

    def __init__(self, address: KafkaAddress, *, client_id: str) -> None:
        self._settings = producer_settings(address, client_id=client_id)
        # Made now, for Kafka takes half a second to give it the id that makes it idempotent.
        self._producer = Producer(self._settings)

    async def publish(self, rows: Sequence[OutboxRow]) -> None:
        """Write records in order and wait for all confirmations."""
        await asyncio.to_thread(self._publish, rows)

    def _publish(self, rows: Sequence[OutboxRow]) -> None:
        try:
            reason = _written(self._producer, rows)
        except (KafkaException, BufferError) as error:
            reason = str(error)
        if reason:
            self._producer = Producer(self._settings)  # the one that failed may still write what it holds
            raise TransientError(f"Kafka does not take records: {reason}")


def _written(producer: Producer, rows: Sequence[OutboxRow]) -> str | None:
    """Write records and wait; give the reason when not all were confirmed."""
    failures: list[KafkaError] = []

    def confirmed(error: KafkaError | None, _message: object) -> None:
        if error is not None:
            failures.append(error)

    for row in rows:
        producer.produce(row.topic, value=row.value, key=row.key, headers=list(row.headers), on_delivery=confirmed)
        producer.poll(0)
    left = producer.flush(_GIVE_UP_SECONDS)
    if failures:
        return failures[0].str()
    return f"{left} records were not confirmed in time" if left else None


def _present(settings: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in settings.items() if value is not None}
