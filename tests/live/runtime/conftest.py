"""Kafka from the session's servers; a topic, a group and a folder for each test."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaProducer
from probing import Probing

from lienthong.stack import StackPlan

PARTITIONS = 2


@pytest.fixture(scope="session")
def admin(servers: StackPlan) -> Iterator[KafkaAdminClient]:
    """Kafka's administrator."""
    client = KafkaAdminClient(**servers.kafka_admin.kafka_python())
    yield client
    client.close()


@pytest.fixture(scope="session")
def producer(servers: StackPlan) -> Iterator[KafkaProducer]:
    """A plain producer."""
    client = KafkaProducer(**servers.kafka_admin.kafka_python(), acks="all")
    yield client
    client.close()


@pytest.fixture
def probing(servers: StackPlan, admin: KafkaAdminClient, producer: KafkaProducer, tmp_path: Path) -> Iterator[Probing]:
    """A topic of two partitions and a group, of this test alone."""
    name = f"probe-{uuid.uuid4().hex}"
    admin.create_topics({name: {"num_partitions": PARTITIONS, "replication_factor": 1}}, wait_for_metadata=True)
    probing = Probing(servers.kafka_admin, name, tmp_path, admin, producer)
    yield probing
    probing.end()
