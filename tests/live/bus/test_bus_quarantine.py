"""What cannot be admitted lands in quarantine, whole and with its reason, and the partition goes on."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from forger import Forged, Forger, changed, invoice, payment_block
from province import Province

from lienthong.officers import officer_key
from streams.headers import event_headers
from streams.names import BUS, OfficerName
from streams.signing import OfficerKey, sign

pytestmark = pytest.mark.live

INVESTIGATOR = OfficerName("police-hanam/investigator")
REQUESTED = "payment_block.requested"


@dataclass(frozen=True)
class Bad:
    """A record that must be refused: where it is written, and the reason that must be given."""

    topic: str
    forged: Forged
    reason: str


@pytest.fixture
def forger(province: Province) -> Forger:
    """Makes records with the ids of the province's registry."""
    return Forger(province.registry)


def _place(topic: str, partition: int, offset: int) -> str:
    return f"{topic}/{partition}/{offset}"


def _signed(forged: Forged, key: OfficerKey) -> Forged:
    event = sign(forged.event, forged.value, key)
    return Forged(event, forged.value, event_headers(event))


def _bad_bytes(forger: Forger) -> list[Bad]:
    topic = "lt.einvoice.received"

    def good() -> Forged:
        return forger.invoice(uuid4().hex)

    unknown_id = struct.pack(">bI", 0, 987_654) + b"\2"
    suspicion = forger.codec.ids[next(each for each in forger.codec.ids if each == "seller.suspected")]
    return [
        Bad(topic, replace(good(), value=b"\xff\xfe garbage"), "not_framed"),
        Bad(topic, replace(good(), value=b""), "not_framed"),
        Bad(topic, replace(good(), value=good().value[:-3]), "undecodable"),
        Bad(topic, replace(good(), value=good().value + b"\0"), "trailing_bytes"),
        Bad(topic, replace(good(), value=unknown_id), "unknown_schema"),
        Bad(topic, replace(good(), value=struct.pack(">bI", 0, suspicion) + b"\2"), "wrong_schema"),
    ]


def _bad_envelopes(forger: Forger) -> list[Bad]:
    topic = "lt.einvoice.received"

    def good() -> Forged:
        return forger.invoice(uuid4().hex)

    return [
        Bad(topic, replace(good(), headers=[]), "bad_envelope"),
        Bad(topic, replace(good(), headers=[("zero\0byte", b"\0\xff"), ("x", b"")]), "bad_envelope"),
        Bad(topic, changed(good(), id=None), "bad_envelope"),
        Bad(topic, changed(good(), id="no uuid"), "bad_envelope"),
        Bad(topic, changed(good(), subject="seller:zero\0byte"), "bad_envelope"),
        Bad(topic, changed(good(), time="0001-01-01T00:00:00+14:00"), "bad_envelope"),
        Bad(topic, changed(good(), time="9999-12-31T23:59:59-14:00"), "bad_envelope"),
        Bad(topic, changed(good(), depth="9" * 4000), "bad_envelope"),
        Bad(topic, changed(good(), depth="17"), "loop"),
        Bad(topic, changed(good(), type="einvoice.imagined"), "unknown_type"),
        Bad("lt.seller.suspected", good(), "wrong_topic"),
    ]


def _bad_senders(forger: Forger, province: Province) -> list[Bad]:
    seller, _ = invoice("suspected")
    stranger = OfficerKey(name=INVESTIGATOR, private=Ed25519PrivateKey.generate())
    unknown = OfficerKey(name=OfficerName("police-hanam/nobody"), private=Ed25519PrivateKey.generate())
    other = OfficerKey(name=OfficerName("sbv-hanam/payment-desk"), private=Ed25519PrivateKey.generate())
    real = officer_key(province.data, INVESTIGATOR)
    moved = _signed(payment_block(forger), real)
    other_body = replace(payment_block(forger), event=moved.event, headers=moved.headers)
    by_tax = forger.make("seller.suspected", seller, {"seller": seller.as_data()}, source="tax-hanam")
    return [
        Bad("lt.seller.suspected", by_tax, "not_granted"),
        Bad("lt.einvoice.received", forger.invoice(uuid4().hex, source="nobody"), "not_granted"),
        Bad("lt.einvoice.received", forger.invoice(uuid4().hex, source="police-hanam"), "not_granted"),
        Bad(f"lt.{REQUESTED}", payment_block(forger), "officer_unsigned"),
        Bad(f"lt.{REQUESTED}", _signed(payment_block(forger), stranger), "officer_unknown"),
        Bad(
            f"lt.{REQUESTED}", changed(_signed(payment_block(forger), stranger), keyid=real.key_id), "officer_signature"
        ),
        Bad(f"lt.{REQUESTED}", _signed(payment_block(forger), unknown), "officer_unknown"),
        Bad(f"lt.{REQUESTED}", _signed(payment_block(forger), other), "officer_unknown"),
        Bad(f"lt.{REQUESTED}", other_body, "officer_signature"),
        Bad(
            f"lt.{REQUESTED}",
            changed(_signed(payment_block(forger), real), subject=f"account:{uuid4()}"),
            "officer_signature",
        ),
    ]


def _known_with_another_value(forger: Forger) -> tuple[Forged, Bad]:
    known = forger.invoice(uuid4().hex)
    other = forger.invoice(uuid4().hex, event_id=known.event.id)
    return known, Bad("lt.einvoice.received", other, "conflicting_duplicate")


def test_every_kind_of_bad_event_is_kept_whole_and_stops_nobody(province: Province, forger: Forger) -> None:
    """Reason, bytes and headers stand in PostgreSQL and on the quarantine topic; good events behind them arrive."""
    assert province.run("officer", "add", INVESTIGATOR).code == 0
    known, conflicting = _known_with_another_value(forger)
    province.send("lt.einvoice.received", known.value, known.headers)
    bad = [*_bad_bytes(forger), *_bad_envelopes(forger), *_bad_senders(forger, province), conflicting]
    sound = _signed(payment_block(forger), officer_key(province.data, INVESTIGATOR))

    places = {_place(*province.send(each.topic, each.forged.value, each.forged.headers)): each for each in bad}
    after = [forger.invoice(uuid4().hex), sound]
    for sent in after:
        province.send(f"lt.{sent.event.type}", sent.value, sent.headers)

    province.settle()
    admitted = "select event_id from event where event_id = any(%s::uuid[])"
    good = [str(each.event.id) for each in (known, *after)]
    assert len(province.rows(BUS, admitted, good)) == len(good)
    assert not province.rows(BUS, admitted, [str(each.forged.event.id) for each in bad if each is not conflicting])
    kept = _kept(province, BUS)
    assert {place: each.reason for place, each in places.items()} == {place: kept[place][0] for place in places}
    for place, each in places.items():
        _, value, headers = kept[place]
        assert value == each.forged.value
        assert headers == [(name.replace("\0", "\ufffd"), content) for name, content in each.forged.headers]
    _assert_on_topic(province, BUS, places)


def test_a_bad_record_on_an_inbox_is_kept_whole_and_stops_nobody(province: Province, forger: Forger) -> None:
    """The agency's own quarantine has it; the next record of the same partition is applied."""
    bad = [
        Bad("lt.inbox.bcd389-hanam", replace(forger.invoice(uuid4().hex), value=b"garbage"), "not_framed"),
        Bad("lt.inbox.bcd389-hanam", replace(forger.invoice(uuid4().hex), headers=[]), "bad_envelope"),
    ]
    good = forger.invoice(uuid4().hex)

    places = {_place(*province.send(each.topic, each.forged.value, each.forged.headers)): each for each in bad}
    province.send("lt.inbox.bcd389-hanam", good.value, good.headers)

    province.settle()
    assert province.rows("bcd389-hanam", "select from inbox where event_id = %s", good.event.id)
    kept = _kept(province, "bcd389-hanam")
    for place, each in places.items():
        assert kept[place] == (each.reason, each.forged.value, list(each.forged.headers))
    _assert_on_topic(province, "bcd389-hanam", places)


def test_a_value_that_postgresql_cannot_keep_does_not_stop_an_agency(province: Province, forger: Forger) -> None:
    """A zero byte in a text that goes into a note: quarantine; whoever only remembers it, and the next event, go on."""
    seller, data = invoice(uuid4().hex)

    def anomaly(rule: str) -> Forged:
        fields = {"rule_id": rule, "rule_version": "1", "severity": "high"}
        return forger.make("einvoice.anomaly_detected", seller, {**data, **fields}, source="tax-hanam")

    bad, good = anomaly("lines\0sum"), anomaly("lines_sum")

    for each in (bad, good):
        province.send("lt.einvoice.anomaly_detected", each.value, each.headers)

    province.settle()
    reasons = "select reason from quarantine where %s = any(header_values)"
    assert province.rows("bcd389-hanam", reasons, str(bad.event.id).encode()) == [("database_value",)]
    in_inbox = "select from inbox where event_id = %s"
    assert not province.rows("bcd389-hanam", in_inbox, bad.event.id)
    assert province.rows("bcd389-hanam", in_inbox, good.event.id)
    assert (
        len(province.rows("qltt-hanam", "select from inbox where event_id = any(%s)", [bad.event.id, good.event.id]))
        == 2
    )


def _kept(province: Province, agency: str) -> dict[str, tuple[str, bytes, list[tuple[str, bytes]]]]:
    query = 'select topic, partition, "offset", reason, value, header_names, header_values from quarantine'
    return {
        _place(topic, partition, offset): (reason, bytes(value), list(zip(names, map(bytes, values), strict=True)))
        for topic, partition, offset, reason, value, names, values in province.rows(agency, query)
    }


def _assert_on_topic(province: Province, agency: str, places: dict[str, Bad]) -> None:
    text: Callable[[bytes], str] = bytes.decode
    found = {
        _place(
            text(one.headers["lt_quarantine_topic"]),
            int(one.headers["lt_quarantine_partition"]),
            int(one.headers["lt_quarantine_offset"]),
        ): one
        for one in province.read(f"lt.quarantine.{agency}")
    }
    for place, each in places.items():
        assert text(found[place].headers["lt_quarantine_reason"]) == each.reason
        assert found[place].value == each.forged.value
