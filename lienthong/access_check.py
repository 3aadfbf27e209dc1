"""
Does Kafka grant what a worker needs? Asked before the worker starts.

A Faust worker that may not read for its group says nothing and waits for ever, and one that may not read its topic
looks healthy with nothing to read.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

import structlog
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from streams.errors import ConfigurationError, TransientError
from streams.kafka import KafkaAddress
from streams.rights import AccessRule

__all__ = ["missing_access", "require_access"]

_TIMEOUT_SECONDS = 10.0
_NEXT_TRY_SECONDS = 2.0

_log = structlog.get_logger(__name__)


def require_access(address: KafkaAddress, rules: Collection[AccessRule]) -> None:
    """
    Wait until Kafka answers, and see that it grants all of these.

    Args:
        address: the cluster, as the rules' principal.
        rules: what that principal needs.

    Raises:
        ConfigurationError: something is not granted, or Kafka does not take the login; the message says what to do.
    """
    while True:
        try:
            missing = missing_access(address, rules)
            break
        except TransientError as error:
            _log.warning("access not asked for yet", because=str(error))
            time.sleep(_NEXT_TRY_SECONDS)
    if missing:
        named = ", ".join(f"{each.operation} on {each.resource.lower()} {each.name}" for each in missing)
        raise ConfigurationError(
            f"Kafka does not grant {missing[0].principal}: {named}. Run `lienthong provision`, or look whether the "
            "agency was suspended.",
            code="access_missing",
        )


def missing_access(address: KafkaAddress, rules: Collection[AccessRule]) -> list[AccessRule]:
    """
    Name what Kafka does not grant, by name.

    Raises:
        ConfigurationError: Kafka does not take the login.
        TransientError: Kafka is away.
    """
    refused: list[str] = []

    def on_error(error: KafkaError) -> None:
        if error.code() == KafkaError._AUTHENTICATION:  # noqa: SLF001 -- the library's own name of it
            refused.append(error.str())

    settings: dict[str, Any] = {**address.librdkafka(), "error_cb": on_error, "log_level": 0}
    admin = AdminClient(settings)
    try:
        granted = _topics(admin, {each.name for each in rules if each.resource == "TOPIC"})
        granted |= _groups(admin, {each.name for each in rules if each.resource == "GROUP"})
    except KafkaException as error:
        admin.poll(0)  # the errors that came meanwhile are told now
        if refused:
            raise ConfigurationError(
                f"Kafka at {address.bootstrap} does not take the login of {address.username}: run `lienthong "
                "provision`, or look whether the agency was suspended.",
                code="login_refused",
            ) from error
        raise TransientError(f"Kafka at {address.bootstrap} does not answer: {error}") from error
    return sorted(each for each in rules if (each.operation, each.resource, each.name) not in granted)


def _topics(admin: AdminClient, names: Collection[str]) -> set[tuple[str, str, str]]:
    if not names:
        return set()
    asked = admin.describe_topics(
        TopicCollection(sorted(names)), include_authorized_operations=True, request_timeout=_TIMEOUT_SECONDS
    )
    granted = set()
    for name, answer in asked.items():
        try:
            operations = answer.result().authorized_operations or ()
        except KafkaException as error:
            if error.args[0].code() not in {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.UNKNOWN_TOPIC_OR_PART}:
                raise
            operations = ()
        granted |= {(each.name, "TOPIC", name) for each in operations}
    return granted


def _groups(admin: AdminClient, names: Collection[str]) -> set[tuple[str, str, str]]:
    """Say which groups may be read for; offsets are asked for, since a group that never met has no operations."""
    granted = set()
    for name in names:
        asked = admin.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(name)], request_timeout=_TIMEOUT_SECONDS
        )
        try:
            asked[name].result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.GROUP_AUTHORIZATION_FAILED:
                raise
        else:
            granted.add(("READ", "GROUP", name))
    return granted
