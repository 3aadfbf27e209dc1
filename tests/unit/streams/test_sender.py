"""From a draft to a record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paper_province import DECISION, PARCEL, POLICE, SELLER, SURVEILLANCE, block, named_id, officer_key, suspicion

from streams.codec import MAX_VALUE_BYTES, Codec
from streams.documents import DocumentRef
from streams.errors import InputError, TransientError, UndecodableError
from streams.event import Event
from streams.headers import parse_event
from streams.references import documents_in, key_ids_in
from streams.sealing import Personal, open_sealed
from streams.sender import Sender
from streams.testing import MemoryKeyring

NOON = datetime(2026, 11, 20, 5, tzinfo=UTC)


@pytest.fixture
def keyring() -> MemoryKeyring:
    """Give an empty keyring."""
    return MemoryKeyring()


@pytest.fixture
def sender(codec: Codec, keyring: MemoryKeyring) -> Sender:
    """Give market surveillance's sender."""
    return Sender(agency=SURVEILLANCE, codec=codec, keys=keyring.login(SURVEILLANCE))


def leaves(value: Any) -> Iterator[Any]:
    """Walk to everything that is no container."""
    if isinstance(value, Mapping):
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from leaves(each)
    else:
        yield value


async def test_no_personal_value_leaves_the_process(sender: Sender) -> None:
    """Neither the event nor the bytes have one, also not from inside a list of records."""
    prepared = await sender.prepare(suspicion(), at=NOON)

    assert not [each for each in leaves(prepared.event.data) if isinstance(each, Personal)]
    for secret in ("9900000056", "Công ty Ví Dụ", "900000000001", "EE123456785VN"):
        assert secret.encode() not in (prepared.row.value or b"")


async def test_every_value_is_sealed_under_its_own_subject(sender: Sender, keyring: MemoryKeyring) -> None:
    """The seller's under the seller's key, the parcel's under the parcel's; both open to what was meant."""
    data = (await sender.prepare(suspicion(), at=NOON)).event.data
    keys = keyring.login(SURVEILLANCE)
    seller, parcel = await keys.key_for(SELLER), await keys.key_for(PARCEL)

    assert open_sealed(data["seller_name"], seller) == "Công ty Ví Dụ"
    assert open_sealed(data["parcels"][0]["number"], parcel) == "EE123456785VN"
    assert {seller.key_id, parcel.key_id} == key_ids_in(data)


async def test_the_same_draft_gives_the_same_bytes(sender: Sender) -> None:
    """So that a repeat is recognised by id and by value."""
    assert await sender.prepare(suspicion(), at=NOON) == await sender.prepare(suspicion(), at=NOON)


async def test_a_row_carries_the_event(sender: Sender, codec: Codec) -> None:
    """Topic of its type, key of its subject, its id; the bytes decode to the event."""
    prepared = await sender.prepare(suspicion(), at=NOON)
    event, row = prepared.event, prepared.row

    assert ("lt.seller.suspected", SELLER.key.encode(), event.id) == (row.topic, row.key, row.row_id)
    assert event == parse_event(row.headers, codec.decode(row.value, expected=event.type))
    assert (event.source, event.time) == (SURVEILLANCE, NOON)


async def test_a_first_event_begins_its_own_chain(sender: Sender) -> None:
    """Its correlation is its own id."""
    event = (await sender.prepare(suspicion(), at=NOON)).event

    assert (event.id, None, 0) == (event.correlation, event.cause, event.depth)


async def test_a_caused_event_continues_the_chain(sender: Sender) -> None:
    """The cause in hand gives correlation and depth; a cause that a draft states goes before it."""
    first = (await sender.prepare(suspicion(), at=NOON)).event
    second = (
        await sender.prepare(replace(suspicion(), event_id=None), at=NOON, cause=first, event_id=named_id("2"))
    ).event
    stated = replace(suspicion("3"), cause=named_id("other"))
    third = (await sender.prepare(stated, at=NOON, cause=second)).event
    alone = (await sender.prepare(stated, at=NOON)).event
    chained = (await sender.prepare(replace(stated, correlation=named_id("chain")), at=NOON)).event

    assert (named_id("2"), first.id, first.id, 1) == (second.id, second.cause, second.correlation, second.depth)
    assert (named_id("other"), first.id, 2) == (third.cause, third.correlation, third.depth)
    assert (named_id("other"), named_id("other"), 1) == (alone.cause, alone.correlation, alone.depth)
    assert named_id("chain") == chained.correlation


async def test_an_event_that_nothing_caused_must_state_its_id(sender: Sender) -> None:
    """A random one would make a repeat a second event."""
    with pytest.raises(InputError, match="must state its id"):
        await sender.prepare(replace(suspicion(), event_id=None), at=NOON)


async def test_fields_that_do_not_fit_are_refused(sender: Sender) -> None:
    """Before anything is queued."""
    with pytest.raises(UndecodableError):
        await sender.prepare(suspicion(score="many"), at=NOON)


async def test_what_no_topic_takes_is_refused(sender: Sender) -> None:
    """It would lie in the outbox for ever, and what is behind it as well."""
    with pytest.raises(InputError, match="too large"):
        await sender.prepare(suspicion(seller_bank="x" * MAX_VALUE_BYTES), at=NOON)


async def test_a_key_service_that_is_away_is_transient(sender: Sender, keyring: MemoryKeyring) -> None:
    """Nothing is sealed under no key."""
    keyring.away = True

    with pytest.raises(TransientError):
        await sender.prepare(suspicion(), at=NOON)


async def test_an_officers_event_is_signed(codec: Codec, keyring: MemoryKeyring) -> None:
    """Name, key and signature stand in the headers; without an officer none of them does."""
    sender = Sender(agency=POLICE, codec=codec, keys=keyring.login(POLICE))
    signed = await sender.prepare(block(), at=NOON, officer=officer_key("police-hanam/investigator"))
    plain = await sender.prepare(block(), at=NOON)

    added = {"ce_officer", "ce_keyid", "ce_signature"}
    assert added == set(dict(signed.row.headers)) - set(dict(plain.row.headers))
    assert signed.row.value == plain.row.value


def test_a_stateless_handlers_draft_is_made_without_asking_anybody(sender: Sender) -> None:
    """Sealed fields pass through unchanged; an open personal value is refused."""
    sealed = {"key_id": "k", "nonce": b"n", "ciphertext": b"c"}
    first = suspicion(seller_tax_code=sealed, seller_name=None, seller_account=None, parcels=[])
    event = replace(_event(), data=dict(first.data))

    made = sender.prepare_sealed(first, at=NOON, cause=event, event_id=named_id("2"))

    assert (sealed, event.id, 1) == (made.event.data["seller_tax_code"], made.event.cause, made.event.depth)
    with pytest.raises(InputError, match="open personal value"):
        sender.prepare_sealed(suspicion(), at=NOON, cause=event, event_id=named_id("2"))


def _event() -> Event:
    return Event(
        id=named_id("cause"),
        type=suspicion().type,
        source=POLICE,
        subject=SELLER,
        time=NOON,
        data={},
        correlation=named_id("cause"),
    )


@settings(max_examples=50)
@given(depth=st.integers(0, 6), width=st.integers(1, 3))
def test_documents_and_keys_are_found_however_deep(depth: int, width: int) -> None:
    """In records, lists and maps alike; what only looks similar is none."""
    sealed = {"key_id": "k", "nonce": b"", "ciphertext": b""}
    value: Any = {"document": DECISION, "name": sealed, "near": {**DECISION, "more": 1}, "map": {"key_id": "x"}}
    for level in range(depth):
        value = {"deeper": [value] * width} if level % 2 else {"deeper": {"a": value}, "list": ({},)}

    assert {DocumentRef.from_data(DECISION)} == set(documents_in(value))
    assert frozenset({"k"}) == key_ids_in(value)
    assert ([], frozenset()) == (documents_in({}), key_ids_in({}))
