"""Who may do what on Kafka: everything is tried, as everybody, and compared with a second reading of the directory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
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
)
from kafka_matrix import deeds, granted, may, told_operations
from province import Province

from lienthong.kafka_access import grant_access
from lienthong.settings import agency_settings
from streams.calendar import vietnamese_day
from streams.catalogue import load_catalogue
from streams.directory import load_directory
from streams.kafka import KafkaAddress
from streams.names import BUS, consumer_group
from streams.rights import access_rules, quotas

pytestmark = pytest.mark.live

TAX, POLICE = "tax-hanam", "police-hanam"


def _address(province: Province, principal: str) -> KafkaAddress:
    return agency_settings(province.data, principal).kafka.address


def _topics(province: Province) -> list[str]:
    with _administrator(province) as admin:
        return sorted(name for name in admin.list_topics() if name.startswith("lt."))


@contextlib.contextmanager
def _administrator(province: Province) -> Iterator[KafkaAdminClient]:
    admin = KafkaAdminClient(**province.plan.kafka_admin.kafka_python())
    try:
        yield admin
    finally:
        admin.close()


@pytest.mark.parametrize("principal", [BUS, *sorted(load_directory().agencies)])
def test_a_principal_can_do_what_the_directory_grants_and_nothing_else(province: Province, principal: str) -> None:
    """Every topic, every group, every operation: no unexpected allow, no unexpected deny."""
    members = [BUS, *province.agencies]
    tried = deeds(_topics(province), [consumer_group(each) for each in members])

    allowed = may(_address(province, principal), tried)

    wanted = granted(principal, vietnamese_day(datetime.now(UTC)))
    assert wanted <= set(tried)
    assert sorted(allowed - wanted) == []
    assert sorted(wanted - allowed) == []


def _rule(
    principal: str,
    operation: str,
    name: str,
    *,
    kind: str = "TOPIC",
    pattern: str = "LITERAL",
    permission: str = "ALLOW",
) -> ACL:
    return ACL(
        principal,
        "*",
        ACLOperation[operation],
        ACLPermissionType[permission],
        ResourcePattern(ResourceType[kind], name, ACLResourcePatternType[pattern]),
    )


PLANTED = {
    "another's inbox read": _rule(f"User:{TAX}", "READ", f"lt.inbox.{POLICE}"),
    "another's inbox written": _rule(f"User:{TAX}", "WRITE", f"lt.inbox.{POLICE}"),
    "an event type of others read": _rule(f"User:{TAX}", "READ", "lt.payment_block.requested"),
    "an event type of others written": _rule(f"User:{TAX}", "WRITE", "lt.payment_block.requested"),
    "the audit log read": _rule(f"User:{TAX}", "READ", "lt.audit"),
    "the audit log written": _rule(f"User:{TAX}", "WRITE", "lt.audit"),
    "the bus's quarantine": _rule(f"User:{TAX}", "READ", "lt.quarantine.bus"),
    "everything of one": _rule(f"User:{TAX}", "ALL", "*"),
    "everything of everybody": _rule("User:*", "READ", "*"),
    "a prefix": _rule(f"User:{TAX}", "READ", "lt.inbox.", pattern="PREFIXED"),
    "one's own settings": _rule(f"User:{TAX}", "ALTER_CONFIGS", f"lt.inbox.{TAX}"),
    "one's own topic deleted": _rule(f"User:{TAX}", "DELETE", f"lt.inbox.{TAX}"),
    "topics made": _rule(f"User:{TAX}", "CREATE", "lt.", pattern="PREFIXED"),
    "more than to see": _rule(f"User:{TAX}", "DESCRIBE", "lt.seller.suspected"),
}
"""Rules that no directory gives; each must be seen, and gone after the next provisioning."""


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_a_rule_too_much_is_seen_and_taken_away(province: Province, planted: ACL) -> None:
    """The matrix would not be worth much if it could not fail."""
    topics = [*_topics(province), "lt.mine"]
    before = told_operations(_address(province, TAX), topics)

    with _administrator(province) as admin:
        admin.create_acls([planted])
        province.until("the rule's effect", lambda: told_operations(_address(province, TAX), topics) != before)
    changes = _provisioned(province)

    assert len(changes) == 1
    assert changes[0].startswith("- ")
    province.until("the rule gone", lambda: told_operations(_address(province, TAX), topics) == before)


MISSING = {
    "its inbox": (_rule(f"User:{TAX}", "READ", f"lt.inbox.{TAX}"), "READ on topic lt.inbox.tax-hanam"),
    "what it publishes": (_rule(f"User:{TAX}", "WRITE", "lt.einvoice.received"), "WRITE on topic lt.einvoice.received"),
    "its group": (_rule(f"User:{TAX}", "READ", "lt.tax-hanam", kind="GROUP"), "READ on group lt.tax-hanam"),
    "its quarantine": (
        _rule(f"User:{TAX}", "WRITE", f"lt.quarantine.{TAX}"),
        "WRITE on topic lt.quarantine.tax-hanam",
    ),
}


@pytest.mark.parametrize(("missing", "named"), MISSING.values(), ids=MISSING)
def test_a_worker_names_what_it_lacks_before_it_starts(province: Province, missing: ACL, named: str) -> None:
    """And the next provisioning gives it back."""
    pattern = missing.resource_pattern
    exactly = ResourcePatternFilter(pattern.resource_type, pattern.resource_name, pattern.pattern_type)
    with _administrator(province) as admin:
        admin.delete_acls([ACLFilter(missing.principal, "*", missing.operation, missing.permission_type, exactly)])
        try:
            started = province.run("worker", TAX)
        finally:
            changes = _provisioned(province)

    assert started.code == 2
    assert f"Kafka does not grant tax-hanam: {named}" in started.err
    assert [each[:2] for each in changes] == ["+ "]
    province.settle()


def _provisioned(province: Province) -> list[str]:
    """Make Kafka's rules equal to the directory again; give the changes."""
    directory = load_directory()
    passwords = {each: _address(province, each).password or "" for each in [BUS, *province.agencies]}
    rules = access_rules(load_catalogue(), directory, on=vietnamese_day(datetime.now(UTC)))
    return grant_access(province.plan.kafka_admin, passwords=passwords, rules=rules, quotas=quotas(directory))
