"""UUIDs in fewer steps: the standard library's values."""

from __future__ import annotations

import uuid
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.names import EVENT_NAMESPACE
from streams.uuids import event_uuid, uuid_of, uuid_text


@given(st.uuids())
def test_reading_and_writing_are_the_standard_librarys(value: UUID) -> None:
    """Same value, hash, text and copy, in every form that it reads."""
    assert str(value) == uuid_text(value)
    for text in (str(value), str(value).upper(), value.hex, f"{{{value}}}", value.urn):
        read = uuid_of(text)
        assert (value, hash(value), repr(value), value.bytes, value.is_safe) == (
            read,
            hash(read),
            repr(read),
            read.bytes,
            read.is_safe,
        )


@given(st.text())
def test_an_events_uuid_is_version_5(name: str) -> None:
    """Of its name in the project's name space."""
    made = event_uuid(name)

    assert uuid.uuid5(EVENT_NAMESPACE, name) == made
    assert made.version == 5
    assert made.variant == uuid.RFC_4122


@given(st.text(st.sampled_from("0123456789abcdefABCDEF-_+{}urn:id \t"), min_size=30, max_size=40))
def test_what_the_standard_library_refuses_is_refused(text: str) -> None:
    """And what it takes is the same."""
    try:
        expected = UUID(text)
    except ValueError:
        with pytest.raises(ValueError, match=r"UUID|int\(\)"):
            uuid_of(text)
    else:
        assert expected == uuid_of(text)
