"""Kafka's users, access rules and quotas: made equal to what the directory says, no more and no less."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)
from kafka.errors import KafkaError
from kafka.protocol.admin import AlterClientQuotasRequest, DescribeClientQuotasRequest

from streams.directory import Quota
from streams.errors import ConfigurationError, TransientError
from streams.kafka import KafkaAddress
from streams.names import AgencyCode
from streams.rights import AccessRule

__all__ = ["grant_access"]

_ITERATIONS = 8192
_ANY_NAME = 2  # of the quota request: entities of this type, whatever their name
_ALL = ACLFilter(
    None,
    None,
    ACLOperation.ANY,
    ACLPermissionType.ANY,
    ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY),
)


def grant_access(
    address: KafkaAddress,
    *,
    passwords: Mapping[str, str],
    rules: Collection[AccessRule],
    quotas: Mapping[AgencyCode, Quota],
) -> list[str]:
    """
    Make what is missing and take away what is too much.

    Rights go before users: whoever loses both must not be there without rules, and an open connection of a user who
    was taken away lives on for a minute.

    Args:
        address: the cluster, as its administrator.
        passwords: of all users that there are to be.
        rules: all that there are to be.
        quotas: of users; one without has no limit.

    Returns:
        What was changed, a line each.

    Raises:
        ConfigurationError: Kafka refuses a change.
        TransientError: Kafka is away.
    """
    try:
        with _admin(address) as admin:
            return [*_rules(admin, rules), *_users(admin, passwords), *_quotas(admin, quotas)]
    except KafkaError as error:
        raise TransientError(f"Kafka at {address.bootstrap} does not answer as it should: {error}") from error


@contextmanager
def _admin(address: KafkaAddress) -> Iterator[KafkaAdminClient]:
    admin = KafkaAdminClient(**address.kafka_python(), client_id="lienthong-access", bootstrap_timeout_ms=10_000)
    try:
        yield admin
    finally:
        admin.close()


def _rules(admin: KafkaAdminClient, rules: Collection[AccessRule]) -> list[str]:
    known, _ = admin.describe_acls(_ALL)
    there, wanted = set(known), {_acl(rule) for rule in rules}
    if new := wanted - there:
        answer = admin.create_acls(list(new))
        if answer["failed"]:
            raise ConfigurationError(f"Kafka does not take an access rule: {answer['failed'][0]}")
    if gone := there - wanted:
        admin.delete_acls([_exactly(each) for each in gone])
    return [f"+ {_told(each)}" for each in new] + [f"- {_told(each)}" for each in gone]


def _acl(rule: AccessRule) -> ACL:
    return ACL(
        f"User:{rule.principal}",
        "*",
        ACLOperation[rule.operation],
        ACLPermissionType.ALLOW,
        ResourcePattern(ResourceType[rule.resource], rule.name, ACLResourcePatternType.LITERAL),
    )


def _exactly(acl: ACL) -> ACLFilter:
    pattern = acl.resource_pattern
    return ACLFilter(
        acl.principal,
        acl.host,
        acl.operation,
        acl.permission_type,
        ResourcePatternFilter(pattern.resource_type, pattern.resource_name, pattern.pattern_type),
    )


def _told(acl: ACL) -> str:
    pattern = acl.resource_pattern
    named = f"{pattern.resource_type.name.lower()} {pattern.resource_name}"
    return f"{acl.principal} {acl.permission_type.name} {acl.operation.name} {named}"


def _users(admin: KafkaAdminClient, passwords: Mapping[str, str]) -> list[str]:
    known = {name for name, each in admin.describe_user_scram_credentials().items() if each.get("credential_infos")}
    new, gone = sorted(passwords.keys() - known), sorted(known - passwords.keys())
    changes: list[Any] = [
        UserScramCredentialUpsertion(
            name, ScramMechanism.SCRAM_SHA_512, passwords[name].encode(), iterations=_ITERATIONS
        )
        for name in new
    ]
    changes += [UserScramCredentialDeletion(name, ScramMechanism.SCRAM_SHA_512) for name in gone]
    if changes:
        # It does not raise: it gives a message for each user that was refused.
        for name, refused in admin.alter_user_scram_credentials(changes).items():
            if refused:
                raise ConfigurationError(f"Kafka does not take the user {name}: {refused}")
    return [f"+ user {name}" for name in new] + [f"- user {name}" for name in gone]


def _quotas(admin: KafkaAdminClient, quotas: Mapping[AgencyCode, Quota]) -> list[str]:
    wanted: dict[str, dict[str, float]] = {name: _values(each) for name, each in quotas.items()}
    known = _known_quotas(admin)
    changed = sorted(name for name in wanted.keys() | known.keys() if wanted.get(name) != known.get(name))
    request = AlterClientQuotasRequest
    entries = []
    for name in changed:
        values: dict[str, float | None] = {**dict.fromkeys(known.get(name, ())), **wanted.get(name, {})}
        ops = [request.EntryData.OpData(key=key, value=one or 0.0, remove=one is None) for key, one in values.items()]
        entity = request.EntryData.EntityData(entity_type="user", entity_name=name)
        entries.append(request.EntryData(entity=[entity], ops=ops))
    if entries:
        for each in _ask(admin, request(entries=entries, validate_only=False)).entries:
            if each.error_code:
                raise ConfigurationError(f"Kafka does not take a quota: {each.error_message}")
    return [f"= quota {name}" for name in changed]


def _values(quota: Quota) -> dict[str, float]:
    return {
        "producer_byte_rate": float(quota.publish_bytes),
        "consumer_byte_rate": float(quota.receive_bytes),
        "request_percentage": float(quota.request_percent),
    }


def _known_quotas(admin: KafkaAdminClient) -> dict[str, dict[str, float]]:
    request = DescribeClientQuotasRequest
    component = request.ComponentData(entity_type="user", match_type=_ANY_NAME, match=None)
    answer = _ask(admin, request(components=[component], strict=True))
    return {each.entity[0].entity_name: {one.key: one.value for one in each.values} for each in answer.entries or ()}


def _ask(admin: KafkaAdminClient, request: Any) -> Any:
    """Send a request for which kafka-python has no method."""
    return admin._manager.run(admin._manager.send, request)  # noqa: SLF001 -- as above
