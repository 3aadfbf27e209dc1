"""Who may do what on Kafka: everything is tried, as everybody, and compared with a second reading of the directory."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
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

from lienthong.kafka_access import grant_access
from lienthong.settings import agency_settings
from lienthong.stack import StackPlan
from streams.calendar import vietnamese_day
from streams.catalogue import load_catalogue
from streams.directory import load_directory
from streams.kafka import KafkaAddress
from streams.names import BUS, AgencyCode, consumer_group
from streams.rights import access_rules, quotas

pytestmark = pytest.mark.live

TAX, POLICE = "tax-hanam", "police-hanam"
MEMBERS = (BUS, *sorted(load_directory().agencies))


def _address(plan: StackPlan, principal: str) -> KafkaAddress:
    return agency_settings(plan.data, principal).kafka.address


def _topics(plan: StackPlan) -> list[str]:
    with _administrator(plan) as admin:
        return sorted(name for name in admin.list_topics() if name.startswith("lt."))


@contextlib.contextmanager
def _administrator(plan: StackPlan) -> Iterator[KafkaAdminClient]:
    admin = KafkaAdminClient(**plan.kafka_admin.kafka_python())
    try:
        yield admin
    finally:
        admin.close()


def _until(what: str, reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < deadline, what


@pytest.mark.parametrize("principal", MEMBERS)
def test_a_principal_can_do_what_the_directory_grants_and_nothing_else(plan: StackPlan, principal: str) -> None:
    """Every topic, every group, every operation: no unexpected allow, no unexpected deny."""
    _granted(plan)
    tried = deeds(_topics(plan), [consumer_group(AgencyCode(each)) for each in MEMBERS])

    allowed = may(_address(plan, principal), tried)

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
    "more than to see": _rule(f"User:{TAX}", "DESCRIBE", "lt.seller.suspected"),
}
"""Rules that no directory gives; each must be seen, and gone after the next provisioning."""


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_a_rule_too_much_is_seen_and_taken_away(plan: StackPlan, planted: ACL) -> None:
    """The matrix would not be worth much if it could not fail."""
    _granted(plan)
    topics, tax = _topics(plan), _address(plan, TAX)
    before = told_operations(tax, topics)

    with _administrator(plan) as admin:
        admin.create_acls([planted])
    try:
        _until("the rule's effect", lambda: told_operations(tax, topics) != before)
    finally:
        changes = _granted(plan)

    assert len(changes) == 1
    assert changes[0].startswith("- ")
    _until("the rule gone", lambda: told_operations(tax, topics) == before)


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
def test_a_worker_names_what_it_lacks_before_it_starts(plan: StackPlan, missing: ACL, named: str) -> None:
    """And the next provisioning gives it back."""
    _granted(plan)
    pattern = missing.resource_pattern
    exactly = ResourcePatternFilter(pattern.resource_type, pattern.resource_name, pattern.pattern_type)
    command = [sys.executable, "-m", "lienthong", "worker", TAX, "--data", str(plan.data)]

    with _administrator(plan) as admin:
        admin.delete_acls([ACLFilter(missing.principal, "*", missing.operation, missing.permission_type, exactly)])
    try:
        started = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    finally:
        changes = _granted(plan)

    assert started.returncode == 2
    assert f"Kafka does not grant tax-hanam: {named}." in started.stderr
    assert [each[:2] for each in changes] == ["+ "]


def _granted(plan: StackPlan) -> list[str]:
    """Make Kafka's rules equal to the directory; give the changes."""
    directory = load_directory()
    rules = access_rules(load_catalogue(), directory, on=vietnamese_day(datetime.now(UTC)))
    passwords = {each: _address(plan, each).password or "" for each in MEMBERS}
    return grant_access(plan.kafka_admin, passwords=passwords, rules=rules, quotas=quotas(directory))
