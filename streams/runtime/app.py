"""
The Faust app, with the settings that keep its known traps shut.

Each setting below answers a fault of Faust 0.15 that was seen to lose or hold events; tests/live/runtime shows them on
a real broker.
"""

from __future__ import annotations

import ssl
from pathlib import Path

import faust
import mode

from streams.kafka import METADATA_MAX_AGE_SECONDS, KafkaAddress
from streams.runtime.transport import SCHEME, install

__all__ = ["make_app"]


def make_app(
    app_id: str, address: KafkaAddress, *, session_timeout_seconds: float, batch_records: int, scratch: Path
) -> faust.App:
    """
    Make a worker's app.

    Args:
        app_id: also the consumer group.
        address: the cluster.
        session_timeout_seconds: after which Kafka gives a dead worker's partitions away.
        batch_records: at most so many records from one fetch.
        scratch: folder for the empty ones that Faust makes at start.
    """
    install()
    return faust.App(
        app_id,
        broker=[f"{SCHEME}://{each}" for each in address.bootstrap.split(",")],
        broker_credentials=_credentials(address),
        broker_commit_interval=0.3,
        broker_commit_every=1_000_000,  # by time only: fewer, larger commits
        broker_session_timeout=session_timeout_seconds,
        broker_heartbeat_interval=session_timeout_seconds / 4,
        broker_request_timeout=max(session_timeout_seconds * 2, 30.0),
        broker_max_poll_records=batch_records,
        consumer_metadata_max_age_ms=METADATA_MAX_AGE_SECONDS * 1000,
        consumer_auto_offset_reset="earliest",
        processing_guarantee="at_least_once",  # exactly_once of Faust is not usable; effects are once in PostgreSQL
        agent_supervisor=mode.CrashingSupervisor,  # the default one goes on after a raise and commits past the event
        stream_wait_empty=True,  # calls our consumer's `wait_empty`, which lets begun batches finish
        stream_buffer_maxsize=16,  # never reached: one fetch at most waits for the one in work
        topic_allow_declare=False,  # topics are made by provisioning alone
        topic_disable_leader=True,  # else it wants a topic of its own
        table_standby_replicas=0,  # no tables: nothing of record lives in Faust
        store="memory://",
        datadir=scratch / app_id,
        key_serializer="raw",
        value_serializer="raw",  # decoding is ours: Faust acknowledges an undecodable record before any hook runs
        web_enabled=False,  # its web server answers anyone on all addresses
        worker_redirect_stdouts=False,
    )


def _credentials(address: KafkaAddress) -> faust.SASLCredentials | faust.SSLCredentials | None:
    context = ssl.create_default_context(cafile=address.ca_file) if address.ca_file else None
    if address.username:
        return faust.SASLCredentials(
            username=address.username, password=address.password, mechanism="SCRAM-SHA-512", ssl_context=context
        )
    return faust.SSLCredentials(context) if context else None
