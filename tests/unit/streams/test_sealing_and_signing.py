"""Personal values under their subject's key, officers' signatures, and pseudonyms."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paper_province import SELLER, officer_key, with_officer

from streams.directory import Directory, load_directory
from streams.errors import ForbiddenError, UndecodableError
from streams.event import Event, stated_id
from streams.names import AgencyCode, EventType
from streams.sealing import Personal, SubjectKey, open_sealed, reveal_personal, seal
from streams.signing import sign, verify_officer
from streams.subject import SubjectRef, pseudonym

KEY, OTHER = SubjectKey("k", bytes(32)), SubjectKey("k", b"\x01" * 32)
NAME = "police-hanam/investigator"
TODAY = date(2026, 11, 20)
EVENT = Event(
    id=UUID(int=1),
    type=EventType("payment_block.requested"),
    source=AgencyCode("police-hanam"),
    subject=SELLER,
    time=datetime(2026, 11, 20, 5, tzinfo=UTC),
    data={},
    correlation=UUID(int=1),
)


def sealed(text: str = "9900000056", **changes: Any) -> dict[str, Any]:
    """Seal a value."""
    return {**seal(Personal(SELLER, text), KEY, event_id=UUID(int=7), field_name="seller_name"), **changes}


@given(text=st.text(max_size=40), event_id=st.uuids(), field=st.text(max_size=10))
def test_what_was_sealed_is_opened_again(text: str, event_id: UUID, field: str) -> None:
    """open(seal(x)) is x; sealing again gives the same bytes; the text does not stand in them."""
    first = seal(Personal(SELLER, text), KEY, event_id=event_id, field_name=field)

    assert text == open_sealed(first, KEY)
    assert first == seal(Personal(SELLER, text), KEY, event_id=event_id, field_name=field)
    assert (12, len(text.encode()) + 16) == (len(first["nonce"]), len(first["ciphertext"]))


def test_the_same_value_looks_different_in_every_event_and_field() -> None:
    """So that nobody sees that two events name the same account by its ciphertext."""
    places = [(uuid4(), "a"), (uuid4(), "a"), (UUID(int=7), "a"), (UUID(int=7), "b")]
    texts = {
        seal(Personal(SELLER, "x"), KEY, event_id=event, field_name=field)["ciphertext"] for event, field in places
    }

    assert len(texts) == 4


@settings(max_examples=60)
@given(place=st.sampled_from(["nonce", "ciphertext"]), bit=st.integers(0, 26 * 8 - 1))
def test_a_flipped_bit_is_refused(place: str, bit: int) -> None:
    """Anywhere in nonce, ciphertext or tag."""
    whole = sealed()
    content = bytearray(whole[place])
    content[bit // 8 % len(content)] ^= 1 << bit % 8

    with pytest.raises(UndecodableError) as caught:
        open_sealed({**whole, place: bytes(content)}, KEY)

    assert caught.value.code == "sealed_field"


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({}, OTHER),
        ({"nonce": b""}, KEY),
        ({"nonce": bytes(13)}, KEY),
        ({"ciphertext": b""}, KEY),
        ({"ciphertext": bytes(15)}, KEY),
    ],
    ids=["another key", "no nonce", "long nonce", "no ciphertext", "shorter than its tag"],
)
def test_what_does_not_open_is_refused(changes: dict[str, bytes], key: SubjectKey) -> None:
    """With one code, whatever the reason."""
    with pytest.raises(UndecodableError) as caught:
        open_sealed({**sealed(), **changes}, key)

    assert caught.value.code == "sealed_field"


def test_secrets_do_not_show_themselves() -> None:
    """Neither a value nor a key nor a private key stands in a representation, which goes to logs."""
    shown = repr([Personal(SELLER, "9900000056"), SubjectKey("k", b"secret"), officer_key(NAME)])

    assert not [each for each in ("9900000056", "secret", "Private") if each in shown]


def test_before_publishing_only_open_values_are_revealed() -> None:
    """A connector reads what it is about to send, nothing else."""
    assert [reveal_personal(each) for each in (Personal(SELLER, "x"), sealed(), None)] == ["x", None, None]


@pytest.fixture(scope="module")
def office() -> Directory:
    """Give a directory whose investigator has a key."""
    return with_officer(load_directory(), NAME)


def reason(event: Event, value: bytes, directory: Directory, *, on: date = TODAY) -> str:
    """Say why a signature is refused."""
    with pytest.raises(ForbiddenError) as caught:
        verify_officer(event, value, directory, on=on)
    return caught.value.code


def test_a_signature_verifies(office: Directory) -> None:
    """Under the officer's key, on any day in office, and it is the same each time."""
    signed = sign(EVENT, b"value", officer_key(NAME))

    verify_officer(signed, b"value", office, on=TODAY)
    assert signed == sign(EVENT, b"value", officer_key(NAME))
    assert (NAME, officer_key(NAME).key_id) == (signed.officer, signed.key_id)


@pytest.mark.parametrize(
    "change",
    [
        {"id": UUID(int=2)},
        {"type": EventType("payment_block.answered")},
        {"subject": SubjectRef("seller", "vn-mst", "y")},
        {"time": EVENT.time + timedelta(microseconds=1)},
        {"cause": UUID(int=3)},
        {"correlation": UUID(int=4)},
        {"depth": 7},
        {"key_id": None},
        {"signature": bytes(64)},
        {"signature": b"x"},
    ],
    ids=["id", "type", "subject", "time", "cause", "correlation", "depth", "no key id", "signature", "short signature"],
)
def test_whatever_is_signed_cannot_be_changed(office: Directory, change: dict[str, Any]) -> None:
    """Each part of the statement counts."""
    signed = sign(EVENT, b"value", officer_key(NAME))

    assert reason(replace(signed, **change), b"value", office) == "officer_signature"


def test_a_key_that_nobody_entered_is_unknown(office: Directory) -> None:
    """Whatever it signs."""
    signed = sign(EVENT, b"value", officer_key(NAME))

    assert reason(replace(signed, key_id="0" * 16), b"value", office) == "officer_unknown"


def test_the_value_cannot_be_changed(office: Directory) -> None:
    """Nor can a part run into the next."""
    signed = sign(EVENT, b"value", officer_key(NAME))

    assert [reason(signed, each, office) for each in (b"valuE", b"", b"value\x00")] == ["officer_signature"] * 3


def test_only_the_sending_agencys_officers_count(office: Directory) -> None:
    """One agency's officer cannot sign for another, whoever has a key."""
    signed = sign(replace(EVENT, source=AgencyCode("tax-hanam")), b"v", officer_key(NAME))

    assert reason(signed, b"v", office) == "officer_unknown"


def test_a_supervisor_may_act() -> None:
    """As an officer may; auditors and operators may not."""
    signed = sign(EVENT, b"v", officer_key(NAME))
    roles = {role: with_officer(load_directory(), NAME, role=role) for role in ("supervisor", "auditor", "operator")}

    verify_officer(signed, b"v", roles["supervisor"], on=TODAY)
    assert [reason(signed, b"v", roles[role]) for role in ("auditor", "operator")] == ["officer_role"] * 2


def test_what_an_older_key_signed_still_verifies(office: Directory) -> None:
    """A lost key is replaced by another entry; both hold on their days."""
    renewed = with_officer(office, NAME, public_key=officer_key(NAME, seed="2").private.public_key().public_bytes_raw())

    verify_officer(sign(EVENT, b"v", officer_key(NAME)), b"v", renewed, on=TODAY)
    verify_officer(sign(EVENT, b"v", officer_key(NAME, seed="2")), b"v", renewed, on=TODAY)


@given(digits=st.text("0123456789", min_size=1, max_size=14), gaps=st.lists(st.sampled_from(" .-_/\t"), max_size=5))
def test_writing_an_identifier_differently_makes_the_same_pseudonym(digits: str, gaps: list[str]) -> None:
    """Spaces, dots, hyphens and slashes do not matter, nor the kind; scheme and digits do."""
    written = "".join(digit + (gaps[at] if at < len(gaps) else "") for at, digit in enumerate(digits))
    one = pseudonym("seller", "vn-mst", digits)

    assert one == pseudonym("seller", "vn-mst", written)
    assert one.value == pseudonym("buyer", "vn-mst", digits).value
    assert one.key != pseudonym("buyer", "vn-mst", digits).key
    assert one.value != pseudonym("seller", "s10", digits).value
    assert one.value != pseudonym("seller", "vn-mst", f"{digits}1").value


def test_a_pseudonym_folds_case_and_unicode_forms() -> None:
    """Composed and decomposed Vietnamese letters are the same identifier."""
    assert pseudonym("parcel", "s10", "ee123vn") == pseudonym("parcel", "s10", "EE 123 VN")
    assert pseudonym("seller", "name", "tiệm") == pseudonym("seller", "name", "tiệm")
    assert SubjectRef.from_data(SELLER.as_data()) == SELLER


def test_a_stated_id_follows_from_what_it_is_about() -> None:
    """Saying it twice is saying it once; another part or type is another event."""
    block = EventType("payment_block.requested")

    assert stated_id(block, "a", "b") == stated_id(block, "a", "b")
    assert len({stated_id(block, "a", "b"), stated_id(block, "b", "a"), stated_id(EventType("x.y"), "a", "b")}) == 3
