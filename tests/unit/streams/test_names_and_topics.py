"""Names that leave the process, and the topics that provisioning makes."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paper_province import TAX, with_agency

from streams.catalogue import Catalogue
from streams.directory import Directory
from streams.errors import InputError, LienThongError, PermanentError, TransientError
from streams.names import (
    BUS,
    AgencyCode,
    EventType,
    TopicName,
    agency_code,
    consumer_group,
    database_role,
    database_schema,
    event_topic,
    event_type_of,
    inbox_topic,
    officer_name,
    quarantine_topic,
    registry_subject,
)
from streams.topics import topic_plan

DAY_MS = 86_400_000


def test_names_are_as_the_protocol_says() -> None:
    """Written out, so that a change of one is a change of this test."""
    names = [
        inbox_topic(TAX),
        quarantine_topic(TAX),
        quarantine_topic(BUS),
        consumer_group(TAX),
        registry_subject(TopicName("lt.seller.suspected")),
        database_role(TAX),
        database_schema(TAX),
        database_schema(BUS),
        event_topic(EventType("audit.recorded")),
    ]

    assert names == [
        "lt.inbox.tax-hanam",
        "lt.quarantine.tax-hanam",
        "lt.quarantine.bus",
        "lt.tax-hanam",
        "lt.seller.suspected-value",
        "lt_tax_hanam",
        "agency_tax_hanam",
        "bus",
        "lt.audit",
    ]


def test_a_topic_names_its_type(catalogue: Catalogue) -> None:
    """Back and forth, for every type."""
    assert all(name == event_type_of(event_topic(name)) for name in catalogue.types)
    assert len({event_topic(name) for name in catalogue.types}) == len(catalogue.types)


@given(text=st.text(max_size=12))
def test_a_code_is_a_code_or_is_refused(text: str) -> None:
    """Nothing that is accepted could be two topics, a path or another statement."""
    try:
        accepted = agency_code(text)
    except InputError:
        return
    assert accepted.replace("-", "").isalnum()
    assert accepted.isascii()
    assert accepted == accepted.lower()


@pytest.mark.parametrize(
    "text", ["", "Tax", "tax_hanam", "tax-", "-tax", "1tax", "tax--hanam", "tax\n", "tax/x", "thuế"]
)
def test_what_is_no_code_is_refused(text: str) -> None:
    """With a sentence that shows how one is written."""
    with pytest.raises(InputError, match="tax-hanam"):
        agency_code(text)


@pytest.mark.parametrize("text", ["", "police-hanam", "police-hanam/", "/x", "a/b/c", "a/B", "../a"])
def test_what_is_no_officer_is_refused(text: str) -> None:
    """With a sentence that shows how one is written."""
    with pytest.raises(InputError, match="police-hanam/investigator"):
        officer_name(text)


def test_an_officers_name_begins_with_the_agency() -> None:
    """Which is how it is known for whom somebody acts."""
    assert officer_name("police-hanam/investigator") == ("police-hanam", "police-hanam/investigator")


def test_there_is_a_topic_for_every_type_and_two_for_every_agency(catalogue: Catalogue, directory: Directory) -> None:
    """And the bus's quarantine; nothing else, each once, by name."""
    plan = topic_plan(catalogue, directory)

    names = [topic.name for topic in plan]
    expected = {spec.topic for spec in catalogue.types.values()} | {quarantine_topic(BUS)}
    for code in directory.agencies:
        expected |= {inbox_topic(code), quarantine_topic(code)}
    assert expected == set(names)
    assert sorted(names) == names


def test_events_are_kept_for_ever_and_inboxes_as_the_directory_says(catalogue: Catalogue, directory: Directory) -> None:
    """Nothing is compacted: a log is not edited."""
    changed = directory.agencies[TAX].model_copy(update={"inbox_days": 7, "quarantine_days": 30})
    plan = {topic.name: topic for topic in topic_plan(catalogue, with_agency(directory, changed))}

    kept = {name: int(topic.config["retention.ms"]) for name, topic in plan.items()}
    assert {kept[spec.topic] for spec in catalogue.types.values()} == {-1}
    assert (kept[inbox_topic(TAX)], kept[quarantine_topic(TAX)]) == (7 * DAY_MS, 30 * DAY_MS)
    assert {topic.config["cleanup.policy"] for topic in plan.values()} == {"delete"}
    assert {topic.config["retention.bytes"] for topic in plan.values()} == {"-1"}
    assert {topic.config["message.timestamp.type"] for topic in plan.values()} == {"LogAppendTime"}


def test_an_agencys_first_topics_need_no_date(catalogue: Catalogue, directory: Directory) -> None:
    """Topics are there before the first day, so that nothing is missed on it."""
    later = directory.agencies[TAX].model_copy(update={"valid_from": date(2099, 1, 1)})

    assert inbox_topic(AgencyCode(TAX)) in {each.name for each in topic_plan(catalogue, with_agency(directory, later))}


def test_an_errors_class_alone_says_what_to_do() -> None:
    """Permanent or transient, never both; the code is the class's own unless another is given."""
    classes = {LienThongError}
    for each in list(classes):
        classes |= set(each.__subclasses__())
    assert {PermanentError, TransientError} <= classes
    assert not issubclass(PermanentError, TransientError)
    assert (PermanentError("x").code, PermanentError("x", code="y").code) == ("permanent", "y")
    assert (PermanentError.code, TransientError("x").code) == ("permanent", "unavailable")
