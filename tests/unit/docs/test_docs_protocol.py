"""The examples of docs/protocol.md hold, computed by the product and once more by hand."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import struct
import unicodedata
from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID, uuid5

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from docs_pages import DOCS, example, rows

from streams.bus_store import Kept, KeptCopy, Place
from streams.catalogue import load_catalogue
from streams.codec import Codec
from streams.copies import copies
from streams.directory import Directory, Officer, load_directory
from streams.errors import ForbiddenError, PermanentError
from streams.event import Event, derived_id
from streams.examination import Accepted, Examiner
from streams.headers import event_headers, parse_event
from streams.loops import handler_digest
from streams.names import EVENT_NAMESPACE, AgencyCode, EventType, OfficerName, TopicName
from streams.reader import Reader
from streams.record import Record, quarantine_item
from streams.redaction import Redactor
from streams.sealing import Personal, SubjectKey, open_sealed, seal
from streams.signing import OfficerKey, sign, verify_officer
from streams.subject import SubjectRef, pseudonym
from streams.testing import MemoryRegistry

PAGE = DOCS / "protocol.md"
ANSWERED = EventType("payment_block.answered")


def _headers(label: str) -> list[tuple[str, bytes]]:
    pairs = [line.split(": ", maxsplit=1) for line in example(PAGE, label).splitlines()]
    return [(name, text.encode()) for name, text in pairs]


def _value() -> bytes:
    return bytes.fromhex("".join(example(PAGE, "value").split()))


def _codec() -> Codec:
    return Codec(catalogue=load_catalogue(), ids={ANSWERED: 7})


def _event() -> Event:
    return parse_event(_headers("headers"), _codec().decode(_value(), expected=ANSWERED))


def test_a_pseudonym_is_the_uuid_that_the_page_says() -> None:
    """Fold, join by bars, UUIDv5."""
    given = json.loads(example(PAGE, "pseudonym"))

    folded = re.sub(r"[\s.\-_/]+", "", unicodedata.normalize("NFC", given["identifier"])).upper()

    assert given["folded"] == folded
    assert given["name"] == f"{given['scheme']}|{folded}"
    assert given["value"] == str(uuid5(UUID(given["namespace"]), given["name"]))
    assert given["value"] == pseudonym(given["kind"], given["scheme"], given["identifier"]).value
    assert UUID(given["namespace"]) == EVENT_NAMESPACE


def test_headers_are_written_and_read_as_the_page_shows() -> None:
    """The codec of the envelope gives the same headers in the same order."""
    assert _headers("headers") == event_headers(_event())


def test_the_record_key_is_the_subject() -> None:
    """What `ce_subject` says."""
    assert dict(_headers("headers"))["ce_subject"].decode() == _event().subject.key


def test_the_value_decodes_to_the_fields_of_the_page() -> None:
    """Framing, id and datum; and back to the same bytes."""
    given = json.loads(example(PAGE, "value-fields"))
    given |= {"request_id": UUID(given["request_id"]), "blocked_vnd": Decimal(given["blocked_vnd"])}

    assert given == _event().data
    assert _value() == _codec().encode(ANSWERED, given)
    assert struct.unpack_from(">bI", _value()) == (0, 7)


def test_the_copy_has_the_headers_of_the_page() -> None:
    """Market surveillance receives it by that article for that purpose, without that field."""
    given, headers = _codec(), [*_headers("headers")]
    record = Record(
        topic=TopicName("lt.payment_block.answered"),
        partition=0,
        offset=0,
        key=None,
        value=_value(),
        headers=headers,
        timestamp_ms=int(_event().time.timestamp() * 1000) + 60,
    )
    examiner = Examiner(
        reader=Reader(codec=given, registry=MemoryRegistry()), redactor=Redactor(given), directory=_with_desk()
    )
    accepted = asyncio.run(examiner.examine(record))
    assert isinstance(accepted, Accepted), accepted
    (delivery,) = [each for each in accepted.deliveries if each.agency == "qltt-hanam"]
    kept = Kept(accepted.fingerprint, Place.of(record), accepted.at, True, [KeptCopy(delivery, 3, False)])

    (row,) = copies(accepted, kept)

    gone = {"ce_officer", "ce_keyid", "ce_signature"}
    assert [*(each for each in headers if each[0] not in gone), *_headers("headers-of-copy")] == row.headers
    assert given.decode(row.value, expected=ANSWERED)["answered_by"] is None


def _with_desk() -> Directory:
    """Enter the desk whose key is the one of the example."""
    public = bytes.fromhex(json.loads(example(PAGE, "signature"))["public"])
    known = load_directory()
    bank = known.agencies[AgencyCode("sbv-hanam")]
    desk = Officer(
        name=OfficerName("sbv-hanam/payment-desk"), role="officer", valid_from=date(2026, 1, 1), public_key=public
    )
    return Directory(agencies={**known.agencies, bank.code: bank.model_copy(update={"officers": (desk,)})})


def test_a_sealed_value_is_made_and_opened_as_the_page_says() -> None:
    """AES-256-GCM-SIV with the derived nonce."""
    given = json.loads(example(PAGE, "sealed"))
    key = SubjectKey(key_id="k", secret=bytes.fromhex(given["key"]))
    personal = Personal(SubjectRef(kind="account", scheme="vn-account", value="x"), given["text"])

    sealed = seal(personal, key, event_id=UUID(given["event_id"]), field_name=given["path"])

    nonce = hashlib.sha256(f"{given['event_id']}|{given['path']}".encode()).digest()[:12]
    assert (given["nonce"], given["ciphertext"]) == (nonce.hex(), bytes(sealed["ciphertext"]).hex())  # type: ignore[arg-type] # bytes here
    assert sealed["nonce"] == nonce
    assert given["text"] == open_sealed(sealed, key)


def test_ids_are_the_uuids_that_the_page_says() -> None:
    """Of derived events and of quarantined records."""
    given = json.loads(example(PAGE, "ids"))
    derived, quarantined = given
    _, cause, handler, index = derived.split("|")
    _, topic, partition, offset = quarantined.split("|")
    record = Record(topic=topic, partition=int(partition), offset=int(offset), key=None, value=None, headers=())

    assert given == {name: str(uuid5(EVENT_NAMESPACE, name)) for name in given}
    assert given[derived] == str(derived_id(UUID(cause), handler, int(index)))
    assert given[quarantined] == str(quarantine_item(record, PermanentError("x")).id)


def test_a_handlers_digest_is_what_the_page_says() -> None:
    """The first digits of SHA-256 over agency, handler, subject and chain."""
    [(name, digest)] = json.loads(example(PAGE, "loops")).items()
    agency, handler, subject, correlation = name.split("|")
    kind, value = subject.split(":")
    event = replace(_event(), subject=SubjectRef(kind, "vn-account", value), correlation=UUID(correlation))

    assert hashlib.sha256(name.encode()).hexdigest()[:8] == digest
    assert digest == handler_digest(AgencyCode(agency), handler, event)


def test_the_signature_is_over_the_bytes_of_the_page() -> None:
    """The kind, the headers but what is not signed, the digest; made here from the page's headers and value alone."""
    given = json.loads(example(PAGE, "signature"))
    kept = [f"{name}=".encode() + text for name, text in _headers("headers") if name != "ce_signature"]
    pieces = [b"lienthong.event.v1", *kept, hashlib.sha256(_value()).digest()]
    signed = b"".join(struct.pack(">I", len(piece)) + piece for piece in pieces)

    assert given["signed_bytes"] == signed.hex()
    assert given["value_sha256"] == pieces[-1].hex()
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(given["private"]))
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(given["public"]))
    assert private.public_key() == public
    public.verify(_event().signature or b"", signed)
    key = OfficerKey(name=OfficerName("sbv-hanam/payment-desk"), private=private)
    assert sign(_event(), _value(), key) == _event()


def test_the_bus_accepts_the_signature_of_the_page_and_not_on_other_bytes() -> None:
    """With the officer's public key in the directory."""
    given, directory = json.loads(example(PAGE, "signature")), load_directory()
    sender = directory.agencies[_event().source]
    desk = Officer(
        name=OfficerName("sbv-hanam/payment-desk"),
        role="officer",
        valid_from=sender.valid_from,
        public_key=bytes.fromhex(given["public"]),
    )
    directory = type(directory)(agencies={sender.code: sender.model_copy(update={"officers": (desk,)})})

    verify_officer(_event(), _value(), directory, on=_event().time.date())
    with pytest.raises(ForbiddenError, match="does not verify"):
        verify_officer(_event(), _value()[:-1], directory, on=_event().time.date())


def test_quarantine_headers_are_those_of_the_page() -> None:
    """Written after the record's own."""
    documented = [
        (name.strip("`"), text.strip("`").encode()) for name, _, text in rows(PAGE, "| header | meaning | example |")
    ]
    record = Record(topic="lt.seller.suspected", partition=2, offset=41, key=None, value=None, headers=[("x", b"")])  # type: ignore[arg-type] # a topic

    item = quarantine_item(record, ForbiddenError("It does not belong there.", code="wrong_topic"))

    assert [("x", b""), *documented] == item.headers
