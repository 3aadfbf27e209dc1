"""
Every name that leaves the process, written once: topics, groups, headers, roles.

Nothing here is derived from a module or a class, so a renamed file never renames a topic.
"""

from __future__ import annotations

import re
from typing import NewType
from uuid import UUID

from streams.errors import InputError

__all__ = [
    "AUDIT_TOPIC",
    "BUS",
    "EVENT_NAMESPACE",
    "AgencyCode",
    "EventType",
    "OfficerName",
    "TopicName",
    "agency_code",
    "consumer_group",
    "database_role",
    "database_schema",
    "event_topic",
    "event_type_of",
    "inbox_topic",
    "officer_name",
    "quarantine_topic",
    "registry_subject",
]

AgencyCode = NewType("AgencyCode", str)
"""An agency's code in the directory: lower-case letters, digits and hyphens, for instance `tax-hanam`."""

EventType = NewType("EventType", str)
"""A past fact, `<subject>.<fact>`, for instance `seller.suspected`."""

TopicName = NewType("TopicName", str)
"""A Kafka topic."""

OfficerName = NewType("OfficerName", str)
"""An officer's directory code, `AGENCY/OFFICER`; it names a desk or a role, never a person."""

BUS = AgencyCode("bus")
"""The bus itself, as the owner of the admission worker, its quarantine and its database schema."""

EVENT_NAMESPACE = UUID("6f1c3a52-7d0e-5b0a-9c55-2f0d8f6f3c11")
"""Name space of every UUIDv5 that the project makes (RFC 9562, section 5.5)."""

AUDIT_TOPIC = TopicName("lt.audit")
"""The audit log."""

_AGENCY = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_OFFICER = re.compile(rf"{_AGENCY.pattern}/{_AGENCY.pattern}")
_AUDIT_TYPE = EventType("audit.recorded")


def agency_code(text: str) -> AgencyCode:
    """
    Check an agency's code.

    Raises:
        InputError: `text` is no code.
    """
    if not _AGENCY.fullmatch(text):
        raise InputError(f"'{text}' is no agency code: write lower-case letters, digits and hyphens, as in tax-hanam.")
    return AgencyCode(text)


def officer_name(text: str) -> tuple[AgencyCode, OfficerName]:
    """
    Split `AGENCY/OFFICER` into the agency's code and the whole name.

    Raises:
        InputError: `text` has another form.
    """
    if not _OFFICER.fullmatch(text):
        raise InputError(f"'{text}' is no officer: write AGENCY/OFFICER, as in police-hanam/investigator.")
    return AgencyCode(text.split("/", maxsplit=1)[0]), OfficerName(text)


def event_topic(event_type: EventType) -> TopicName:
    """Name the topic on which all events of a type are published."""
    return AUDIT_TOPIC if event_type == _AUDIT_TYPE else TopicName(f"lt.{event_type}")


def event_type_of(topic: TopicName) -> EventType:
    """Name the event type of a topic made by `event_topic`."""
    return _AUDIT_TYPE if topic == AUDIT_TOPIC else EventType(topic.removeprefix("lt."))


def inbox_topic(agency: AgencyCode) -> TopicName:
    """Name the topic from which an agency reads, and only that agency."""
    return TopicName(f"lt.inbox.{agency}")


def quarantine_topic(agency: AgencyCode) -> TopicName:
    """Name the topic that keeps what an agency's worker (or the bus) could not process."""
    return TopicName(f"lt.quarantine.{agency}")


def consumer_group(agency: AgencyCode) -> str:
    """Name the Kafka consumer group of an agency's worker; it is also the Faust app's id."""
    return f"lt.{agency}"


def registry_subject(topic: TopicName) -> str:
    """Name the registry subject of a topic's values (TopicNameStrategy)."""
    return f"{topic}-value"


def database_role(agency: AgencyCode) -> str:
    """Name the PostgreSQL role under which an agency's worker logs in."""
    return f"lt_{agency.replace('-', '_')}"


def database_schema(agency: AgencyCode) -> str:
    """Name the PostgreSQL schema that belongs to an agency's role alone."""
    return f"agency_{agency.replace('-', '_')}" if agency != BUS else "bus"
