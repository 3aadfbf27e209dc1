"""
Who may do what on Kafka: from the directory and the catalogue alone, and nothing beside it.

Default deny: what is not listed here is refused by the broker's authorizer. A principal is an agency's code, or the
bus's. `READ` and `WRITE` of a topic let see it, too; an idempotent producer needs no more than `WRITE`, a consumer
`READ` of its topic and of its group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from streams.catalogue import Catalogue
from streams.directory import Agency, Directory, Quota
from streams.names import (
    AUDIT_TOPIC,
    BUS,
    AgencyCode,
    consumer_group,
    event_topic,
    inbox_topic,
    quarantine_topic,
)

__all__ = ["AccessRule", "access_rules", "quotas"]

Operation = Literal["READ", "WRITE"]
Resource = Literal["TOPIC", "GROUP"]


@dataclass(frozen=True, slots=True, order=True)
class AccessRule:
    """
    One thing that a principal may do.

    Args:
        principal: an agency's code, or the bus's.
        operation: Kafka's name of it.
        resource: of which kind.
        name: the topic or the group, in full; no rule is for a prefix.
    """

    principal: AgencyCode
    operation: Operation
    resource: Resource
    name: str


def access_rules(catalogue: Catalogue, directory: Directory, *, on: date) -> frozenset[AccessRule]:
    """Give the rules of a day."""
    events = [each.topic for each in catalogue.types.values() if each.topic != AUDIT_TOPIC]
    rules = {AccessRule(BUS, "READ", "GROUP", consumer_group(BUS))}
    for topic in events:
        rules.add(AccessRule(BUS, "READ", "TOPIC", topic))
        rules.add(AccessRule(BUS, "WRITE", "TOPIC", topic))  # what was quarantined is published again
    rules |= {AccessRule(BUS, "WRITE", "TOPIC", topic) for topic in (AUDIT_TOPIC, quarantine_topic(BUS))}
    for agency in directory.agencies.values():
        rules.add(AccessRule(BUS, "WRITE", "TOPIC", inbox_topic(agency.code)))
        if agency.holds(on=on):
            rules.update(_agency_rules(agency, on))
    return frozenset(rules)


def _agency_rules(agency: Agency, on: date) -> Iterator[AccessRule]:
    code = agency.code
    yield AccessRule(code, "READ", "GROUP", consumer_group(code))
    yield AccessRule(code, "READ", "TOPIC", inbox_topic(code))
    yield AccessRule(code, "WRITE", "TOPIC", inbox_topic(code))  # as the bus: an agency's own, published again
    yield AccessRule(code, "WRITE", "TOPIC", quarantine_topic(code))
    for grant in agency.publish:
        if grant.holds(on=on):
            yield AccessRule(code, "WRITE", "TOPIC", event_topic(grant.type))


def quotas(directory: Directory) -> Mapping[AgencyCode, Quota]:
    """Give each agency's quota; the bus has none, for everybody waits for it."""
    return {code: agency.quota for code, agency in directory.agencies.items()}
