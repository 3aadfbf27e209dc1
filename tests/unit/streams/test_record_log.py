"""What a log line says about the record in hand."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from streams.errors import TransientError, UndecodableError
from streams.names import TopicName
from streams.record import Record, quarantine_item
from streams.record_log import NOTE, add_record_in_hand, in_hand, log_quarantined, record_fields

EVENT = "544af748-19b7-5b0e-8bf1-67a955f92812"
CHAIN = "4229ae96-95e8-5c20-ad6d-db24a10101f0"
ENVELOPE = {
    "ce_id": EVENT.encode(),
    "ce_type": b"seller.suspected",
    "ce_source": b"//lienthong/agency/qltt-hanam",
    "ce_correlationid": CHAIN.encode(),
    "ce_subject": b"seller:6831f6e9-297b-508d-aed7-a15c5624d430",
}
PLACE = {"topic": "lt.seller.suspected", "partition": 2, "offset": 41}


def record(**headers: bytes | None) -> Record:
    """Make a record with an envelope; None leaves a header out."""
    envelope = {**ENVELOPE, **headers}
    return Record(
        topic=TopicName("lt.seller.suspected"),
        partition=2,
        offset=41,
        key=b"k",
        value=b"secret",
        headers=[(name, value) for name, value in envelope.items() if value is not None],
    )


def test_a_record_is_named_by_its_place_and_its_envelope() -> None:
    """The trace is the chain's id as W3C writes one; subject and value stay out."""
    assert record_fields(record()) == {
        **PLACE,
        "event_id": EVENT,
        "event_type": "seller.suspected",
        "sender": "qltt-hanam",
        "correlation": CHAIN,
        "trace_id": CHAIN.replace("-", ""),
    }


def test_a_chain_begins_with_its_first_event() -> None:
    """Without a correlation of its own the event's id is it."""
    fields = record_fields(record(ce_correlationid=None))

    assert (fields["correlation"], fields["trace_id"]) == (EVENT, EVENT.replace("-", ""))


def test_a_trace_of_the_senders_own_goes_before() -> None:
    """As W3C Trace Context puts it into `traceparent`."""
    trace = "0af7651916cd43dd8448eb211c80319c"

    fields = record_fields(record(ce_traceparent=f"00-{trace}-b7ad6b7169203331-01".encode()))

    assert fields["trace_id"] == trace


@pytest.mark.parametrize("value", [b"", b"x\n", b"Nguy\xe1\xbb\x85n", b"\xff", EVENT.encode() + b"\n", b"'; drop"])
def test_what_is_not_well_formed_stays_out_of_the_log(value: bytes) -> None:
    """Whoever writes headers does not write the log."""
    names = ("ce_id", "ce_type", "ce_source", "ce_correlationid", "ce_traceparent")

    assert record_fields(record(**dict.fromkeys(names, value))) == PLACE


def test_a_header_without_a_value_is_left_out() -> None:
    """Kafka allows it; types do not show it."""
    nothing: Any = None
    broken = Record(**{**{name: getattr(record(), name) for name in Record.__slots__}, "headers": [("ce_id", nothing)]})

    assert record_fields(broken) == PLACE


async def test_lines_speak_of_the_record_in_hand_of_their_own_task() -> None:
    """One task's record does not get into another's lines, and nothing stays behind."""

    async def line(each: Record) -> Any:
        with in_hand(each):
            await asyncio.sleep(0)
            return add_record_in_hand(None, "warning", {"event": "x", "partition": "said"})

    one, other = await asyncio.gather(line(record()), line(record(ce_id=CHAIN.encode())))

    assert (one["event_id"], other["event_id"]) == (EVENT, CHAIN)
    assert (one["event"], one["partition"], one["offset"]) == ("x", "said", 41)
    assert add_record_in_hand(None, "warning", {"event": "x"}) == {"event": "x"}


def test_an_error_that_nobody_foresaw_says_which_record_it_was() -> None:
    """It is told after the record was put down; ours know what they are about."""
    with pytest.raises(KeyError) as unknown, in_hand(record()):
        raise KeyError("x")
    with pytest.raises(TransientError) as known, in_hand(record()):
        raise TransientError("away")

    [note] = unknown.value.__notes__
    assert note.startswith(f"{NOTE}topic=lt.seller.suspected partition=2 offset=41 event_id={EVENT}")
    assert not hasattr(known.value, "__notes__")


def test_each_quarantined_record_is_a_line_with_its_code() -> None:
    """The sentence for people may repeat what a stranger wrote into a header, so it stays in the store."""
    item = quarantine_item(record(), UndecodableError("Mr X is no event type.", code="unknown_type"))

    with capture_logs() as logs:
        log_quarantined(item)

    [line] = logs
    assert line == {
        **record_fields(record()),
        "event": "quarantined",
        "log_level": "warning",
        "quarantine_id": str(item.id),
        "reason": "unknown_type",
    }
