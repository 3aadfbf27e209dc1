"""What was quarantined takes effect once, after its cause is mended and an operator publishes it again."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from forger import Forged, Forger, invoice, payment_block
from province import Province

from lienthong.directory import LiveDirectory
from lienthong.settings import agency_folder
from lienthong.stack.private_files import make_private_folder, write_private
from streams.headers import event_headers
from streams.names import BUS, AgencyCode, OfficerName, quarantine_topic
from streams.signing import OfficerKey, sign

pytestmark = pytest.mark.live

OPERATOR = ("--as", "bcd389-hanam/operator")
REQUESTED = "lt.payment_block.requested"
SURVEILLANCE = ("--as", "qltt-hanam/supervisor")


@pytest.fixture
def forger(province: Province) -> Forger:
    """Makes records with the ids of the province's registry; operators have their keys."""
    for _, name in (OPERATOR, SURVEILLANCE):
        assert province.run("officer", "add", name).code == 0
    return Forger(province.registry)


def of_bus(province: Province, *words: str) -> list[dict[str, Any]]:
    """Run a command on the bus's quarantine as its operator."""
    return province.lines("quarantine", words[0], "--of", "bus", *OPERATOR, *words[1:])


def quarantined(province: Province, *forged: Forged, topic: str, reason: str) -> list[str]:
    """Write records that the bus refuses; give their items."""
    places = [province.send(topic, each.value, each.headers, key=each.event.id.bytes) for each in forged]
    province.settle()
    items = {(each["topic"], each["partition"], each["offset"]): each for each in of_bus(province, "list")}
    assert {reason} == {items[place]["reason"] for place in places}
    return [str(items[place]["quarantine_id"]) for place in places]


def new_desk(province: Province) -> OfficerKey:
    """Make the key of a desk that the directory does not know yet."""
    key = OfficerKey(name=OfficerName(f"police-hanam/desk-{uuid4().hex}"), private=Ed25519PrivateKey.generate())
    folder = make_private_folder(agency_folder(province.data, AgencyCode("police-hanam")) / "officers")
    text = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    write_private(folder / f"{key.name.split('/')[1]}.pem", text)
    return key


def order(forger: Forger, key: OfficerKey) -> Forged:
    """Make a payment-block order, signed."""
    forged = payment_block(forger)
    event = sign(forged.event, forged.value, key)
    return Forged(event, forged.value, event_headers(event))


def admitted(province: Province, forged: Forged) -> Sequence[object]:
    """Ask the ledger for an event."""
    return province.rows(BUS, "select event_id from event where event_id = %s", forged.event.id)


def test_an_order_of_a_desk_that_was_entered_late_takes_effect_once(province: Province, forger: Forger) -> None:
    """Not by looking, not by a dry run; by `--do` once; a second time there is nothing to do."""
    key = new_desk(province)
    forged = order(forger, key)
    [item] = quarantined(province, forged, topic=REQUESTED, reason="officer_unknown")
    assert province.run("officer", "add", key.name).code == 0

    [shown] = of_bus(province, "redrive", item)
    province.settle()
    assert (shown["outcome"], list(admitted(province, forged))) == ("would_be_redriven", [])

    [done] = of_bus(province, "redrive", item, "--do", "--because", "the desk has its key now")
    again = province.run("quarantine", "redrive", item, "--of", "bus", *OPERATOR, "--do")
    province.settle()

    assert (done["outcome"], again.code) == ("redriven", 2)
    assert "acted on it before" in again.err
    assert len(admitted(province, forged)) == 1
    assert province.value("sbv-hanam", "select count(*) from inbox where event_id = %s", forged.event.id) == 1
    [first, second] = [
        each for each in province.read(REQUESTED) if each.headers["ce_id"] == str(forged.event.id).encode()
    ]
    assert (first.key, first.value, dict(forged.headers)) == (second.key, second.value, dict(second.headers))
    [row] = of_bus(province, "list", "--state", "redriven", "--reason", "officer_unknown")[-1:]
    assert (item, OPERATOR[1]) == (row["quarantine_id"], row["acted_by"])


def test_each_act_stands_in_the_audit_log_with_its_signature(province: Province, forger: Forger) -> None:
    """In the ledger and on the audit topic; the officer's public key verifies it."""
    [item] = quarantined(province, forger.invoice(uuid4().hex), topic="lt.seller.suspected", reason="wrong_topic")

    of_bus(province, "drop", item, "--because", "a test", "--do")

    province.settle()
    query = "select officer, details from audit where event_id = %s and action = 'dropped'"
    [(officer, details)] = province.rows(BUS, query, UUID(item))
    assert (OPERATOR[1], "a test") == (officer, details["because"])
    known = LiveDirectory(province.data)().agency("bcd389-hanam").officers
    assert details["key_id"] in {each.key_id for each in known if each.name == officer}
    signature = base64.b16decode(details["signature"], casefold=True)
    assert any(details["signature"].encode() in (each.value or b"") for each in province.read("lt.audit")), len(
        signature
    )


def test_what_fails_again_is_a_new_item_that_names_the_old_one(province: Province, forger: Forger) -> None:
    """The cause was not mended; the old item stays as it is."""
    [item] = quarantined(province, forger.invoice(uuid4().hex), topic="lt.seller.suspected", reason="wrong_topic")

    of_bus(province, "redrive", item, "--do")

    province.settle()
    waiting = {each["again_of"]: each for each in of_bus(province, "list")}
    assert waiting[item]["reason"] == "wrong_topic"
    assert waiting[item]["quarantine_id"] != item
    assert {"redriven"} == {
        each["state"] for each in of_bus(province, "list", "--state", "redriven") if each["quarantine_id"] == item
    }
    of_bus(province, "drop", waiting[item]["quarantine_id"], "--because", "a test", "--do")


def test_nothing_is_lost_while_the_worker_is_down(province: Province, forger: Forger) -> None:
    """The act and what it publishes are durable together; the worker publishes it when it runs again."""
    key = new_desk(province)
    forged = order(forger, key)
    [item] = quarantined(province, forged, topic=REQUESTED, reason="officer_unknown")
    assert province.run("officer", "add", key.name).code == 0
    assert province.run("hold", "bus").code == 0

    of_bus(province, "redrive", item, "--do")
    assert list(admitted(province, forged)) == []

    assert province.run("release", "bus").code == 0
    province.settle()
    assert len(admitted(province, forged)) == 1


def test_more_than_the_bound_is_refused(province: Province, forger: Forger) -> None:
    """And says what there is and how to go on; nothing was done."""
    forged = [forger.invoice(uuid4().hex) for _ in range(3)]
    items = quarantined(province, *forged, topic="lt.shipment.flagged", reason="wrong_topic")
    topic = ("--of", "bus", "--topic", "lt.shipment.flagged")

    ran = province.run("quarantine", "redrive", *topic, *OPERATOR, "--limit", "2", "--do")

    assert ran.code == 2
    assert "wrong_topic 3" in ran.err
    assert {"waiting"} == {each["state"] for each in of_bus(province, "list") if each["quarantine_id"] in items}
    dropped = province.lines("quarantine", "drop", *topic, *OPERATOR, "--because", "a test", "--limit", "3", "--do")
    assert [each["outcome"] for each in dropped] == ["dropped"] * 3


def test_who_may_not_is_refused_and_learns_nothing(province: Province) -> None:
    """An agency's supervisor has no business with the bus's quarantine, nor a desk with its own agency's."""
    for words in (
        ("--of", "bus", *SURVEILLANCE),
        ("--as", "qltt-hanam/inspector"),
        ("--of", "tax-hanam", *SURVEILLANCE),
    ):
        ran = province.run("quarantine", "list", *words)
        assert (ran.code, ran.out) == (1, "")


def test_an_agency_applies_what_it_redrives_once(province: Province, forger: Forger) -> None:
    """A record that a mended program can process now; from the agency's own quarantine, by its own supervisor."""
    seller, data = invoice(uuid4().hex)
    fields = {"rule_id": "lines_sum", "rule_version": "1", "severity": "high"}
    forged = forger.make("einvoice.anomaly_detected", seller, {**data, **fields}, source="tax-hanam")
    [(item,)] = province.rows(
        "qltt-hanam",
        """
        insert into quarantine (id, topic, partition, "offset", reason, detail, key, value, header_names, header_values)
        values (%s, 'lt.inbox.qltt-hanam', 0, -1, 'undecodable', 'of an older program', %s, %s, %s, %s) returning id
        """,
        uuid4(),
        seller.key.encode(),
        forged.value,
        [name for name, _ in forged.headers],
        [value for _, value in forged.headers],
    )

    shown = province.lines("quarantine", "show", str(item), *SURVEILLANCE)[0]
    [done] = province.lines("quarantine", "redrive", str(item), *SURVEILLANCE, "--do")

    province.settle()
    assert (shown["data"]["rule_id"], done["outcome"]) == ("lines_sum", "redriven")
    assert province.value("qltt-hanam", "select count(*) from inbox where event_id = %s", forged.event.id) == 1


def test_hostile_texts_and_personal_values_are_not_printed(province: Province, forger: Forger) -> None:
    """Control characters are escapes, sealed fields are the word, and the table shows the same as JSON."""
    forged = payment_block(forger, sealed=True)
    headers = [*forged.headers, ("x-title", "\x1b]0;owned\x07\u202e".encode()), ("x-[red]markup", b"[bold]")]
    place = province.send(REQUESTED, forged.value, headers)
    province.settle()
    [row] = [each for each in of_bus(province, "list", "--reason", "officer_unsigned") if each["offset"] == place[2]][
        -1:
    ]

    shown = of_bus(province, "show", row["quarantine_id"])[0]
    ran = province.run("quarantine", "show", row["quarantine_id"], "--of", "bus", *OPERATOR)

    assert shown["data"]["account"] == "sealed"
    assert {"name": "x-title", "value": "\\x1b]0;owned\\x07\\u202e"} in shown["headers"]
    assert "\x1b]0" not in ran.out + json.dumps(shown)
    assert "x-[red]markup" in ran.out
    assert any(
        one.headers["lt_quarantine_id"] == row["quarantine_id"].encode() for one in province.read(quarantine_topic(BUS))
    )
