"""The envelope on the wire."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from avro_strategies import EVENTS
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary
from cloudevents.core.formats.base import Format
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.errors import UndecodableError
from streams.event import Event
from streams.headers import event_headers, parse_event
from streams.names import AgencyCode, EventType, OfficerName
from streams.subject import SubjectRef

EVENT = Event(
    id=UUID(int=1),
    type=EventType("payment_block.requested"),
    source=AgencyCode("police-hanam"),
    subject=SubjectRef(kind="account", scheme="vn-account", value="x"),
    time=datetime(2026, 11, 20, 5, 0, 0, 250000, tzinfo=UTC),
    data={},
    correlation=UUID(int=2),
    cause=UUID(int=3),
    depth=2,
    passed=("0123abcd", "ffffffff"),
    officer=OfficerName("police-hanam/investigator"),
    key_id="0123456789abcdef",
    signature=b"\x00\xff" * 32,
    purpose="kiểm tra",
    legal_article="nd-52-2024/11.1",
    removed=("account", "customer"),
    answer_due=datetime(2026, 11, 21, 5, tzinfo=UTC),
    admitted=datetime(2026, 11, 20, 5, 0, 1, tzinfo=UTC),
    sequence=7,
    after=UUID(int=3),
)
REQUIRED = ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_subject")


class Raw(Format):
    """The value's bytes as they are: CloudEvents' binary mode leaves them to the content type."""

    def read(self, event_factory: Any, data: Any) -> Any:
        """Not used in binary mode."""
        raise NotImplementedError

    def write(self, event: Any) -> Any:
        """Not used in binary mode."""
        raise NotImplementedError

    def read_data(self, body: Any, datacontenttype: str | None) -> Any:
        """Give the bytes."""
        assert datacontenttype == "application/avro"
        return body

    def write_data(self, data: Any, datacontenttype: str | None) -> bytes:
        """Give the bytes."""
        assert datacontenttype == "application/avro"
        return bytes(data)

    def get_content_type(self) -> str:
        """Not used in binary mode."""
        raise NotImplementedError


def changed(**headers: bytes | None) -> list[tuple[str, bytes]]:
    """Give the envelope with headers replaced, added or, for None, left out."""
    kept = [(name, value) for name, value in event_headers(EVENT) if name not in headers]
    return kept + [(name, value) for name, value in headers.items() if value is not None]


def refusal(headers: list[tuple[str, bytes]]) -> str:
    """Give the message with which an envelope is refused as `bad_envelope`."""
    with pytest.raises(UndecodableError) as caught:
        parse_event(headers, {})
    assert caught.value.code == "bad_envelope"
    return str(caught.value)


@settings(max_examples=80)
@given(event=EVENTS)
def test_what_was_written_is_read_again(event: Event) -> None:
    """parse(write(x)) is x, for every envelope."""
    assert event == parse_event(event_headers(event), {})


@settings(max_examples=60)
@given(event=EVENTS)
def test_cloudevents_own_package_reads_and_writes_the_same(event: Event) -> None:
    """A second opinion: the CloudEvents SDK finds every attribute, and what it writes we read as the same event."""
    message = KafkaMessage(headers=dict(event_headers(event)), key=event.subject.key, value=b"\x00avro")

    theirs = from_binary(message, Raw())
    back = to_binary(theirs, Raw())

    assert (str(event.id), event.type, f"//lienthong/agency/{event.source}", event.subject.key, event.time) == (
        theirs.get_id(),
        theirs.get_type(),
        theirs.get_source(),
        theirs.get_subject(),
        theirs.get_time(),
    )
    assert event == parse_event(list(back.headers.items()), {})
    assert (event.subject.key, b"\x00avro") == (back.key, back.value)


def test_names_are_those_of_the_binding() -> None:
    """Each header is `content-type` or `ce_` and lower-case letters and digits, as CloudEvents asks of attributes."""
    names = [name for name, _ in event_headers(EVENT)]

    assert [name for name in names if not re.fullmatch(r"ce_[a-z0-9]{1,20}|content-type", name)] == []
    assert len(set(names)) == len(names)


def test_what_is_absent_has_no_header() -> None:
    """No empty header stands for a missing value."""
    bare = replace(
        EVENT,
        cause=None,
        officer=None,
        key_id=None,
        signature=None,
        purpose=None,
        legal_article=None,
        removed=(),
        answer_due=None,
        passed=(),
        admitted=None,
        sequence=None,
        after=None,
    )

    assert all(value for _, value in event_headers(bare))
    assert bare == parse_event(event_headers(bare), {})


def test_unknown_headers_are_ignored() -> None:
    """Others may add their own, in the binding's name space, outside it, and twice."""
    extra = [("traceparent", b"\xff"), ("traceparent", b""), ("ce_future", b"x")]

    assert parse_event([*event_headers(EVENT), *extra], {}) == EVENT


def test_an_event_without_correlation_begins_its_chain() -> None:
    """A stranger's CloudEvent has none of our extensions; its own id is its correlation."""
    bare = [(name, value) for name, value in event_headers(EVENT) if name in REQUIRED]

    event = parse_event(bare, {})

    assert (EVENT.id, None, 0) == (event.correlation, event.cause, event.depth)


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_attribute_is_named(name: str) -> None:
    """What every event must have is missed by name."""
    assert name in refusal(changed(**{name: None}))


@pytest.mark.parametrize("name", [*REQUIRED, "ce_removed", "ce_officer"])
def test_an_attribute_that_stands_twice_is_refused(name: str) -> None:
    """Two readers could take different ones."""
    assert "twice" in refusal([*event_headers(EVENT), (name, b"x")])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce_id", b"1"),
        ("ce_id", b""),
        ("ce_id", b"\xff\xfe"),
        ("ce_id", b"x" * 4097),
        ("ce_specversion", b"0.3"),
        ("ce_source", b"tax-hanam"),
        ("ce_source", b"//lienthong/agency/"),
        ("ce_source", b"//lienthong/agency/Tax"),
        ("ce_source", b"//lienthong/agency/a/b"),
        ("ce_time", b"yesterday"),
        ("ce_time", b"2026-11-20T05:00:00"),
        ("ce_time", b"0001-01-01T00:00:00+14:00"),
        ("ce_time", b"9999-12-31T23:59:59-12:00"),
        ("ce_answerdue", b"2026-11-20"),
        ("ce_answerdue", b"0001-01-01T00:00:00+14:00"),
        ("ce_depth", b"-1"),
        ("ce_depth", b"many"),
        ("ce_depth", b""),
        ("ce_depth", "٣".encode()),
        ("ce_passed", b"0123ABCD"),
        ("ce_passed", b"0123abc"),
        ("ce_passed", b","),
        ("ce_sequence", b"0"),
        ("ce_sequence", b"+1"),
        ("ce_sequence", b"9223372036854775808"),
        ("ce_after", b"x"),
        ("ce_recordedtime", b"2026-11-20"),
        ("ce_correlationid", b"x"),
        ("ce_causationid", b"x"),
        ("ce_officer", b"investigator"),
        ("ce_signature", b"not base64!"),
        ("ce_signature", "chữ ký".encode()),
        ("ce_subject", b"seller:nul\x00"),
        ("ce_purpose", b"\x00"),
    ],
)
def test_an_attribute_of_another_form_is_refused(name: str, value: bytes) -> None:
    """Whatever stands in it, the answer is one code and no other exception."""
    refusal(changed(**{name: value}))


@settings(max_examples=200)
@given(
    headers=st.lists(
        st.tuples(st.sampled_from([name for name, _ in event_headers(EVENT)]), st.binary(max_size=40)), max_size=6
    )
)
def test_random_headers_raise_nothing_else(headers: list[tuple[str, bytes]]) -> None:
    """Whatever bytes come, it is an event or `bad_envelope`."""
    names = {name for name, _ in headers}
    rest = [(name, value) for name, value in event_headers(EVENT) if name not in names]
    code = "bad_envelope"
    try:
        parse_event([*rest, *headers], {})
    except UndecodableError as error:
        code = error.code

    assert code == "bad_envelope"


def test_times_are_read_in_any_offset_and_kept_in_utc() -> None:
    """RFC 3339 allows offsets."""
    event = parse_event(changed(ce_time=b"2026-11-20T12:00:00.25+07:00"), {})

    assert EVENT.time == event.time
    assert event.time.utcoffset() == timedelta(0)
