"""Fields that people write in JSON become what the codec takes, or a sentence that says what should stand there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from avro_strategies import data_of
from hypothesis import given
from hypothesis import strategies as st
from plain_json import plain

from streams.catalogue import load_catalogue
from streams.codec import Codec
from streams.names import EventType
from streams.plain_values import read_fields

CATALOGUE = load_catalogue()
CODEC = Codec(catalogue=CATALOGUE, ids=dict.fromkeys(CATALOGUE.types, 1))
TYPES = sorted(CATALOGUE.types)
SUBJECT = {"kind": "seller", "scheme": "vn-mst", "value": "544af748-19b7-5b0e-8bf1-67a955f92812"}


@given(data=st.data(), event_type=st.sampled_from(TYPES))
def test_what_is_written_is_read_as_it_was(data: st.DataObject, event_type: str) -> None:
    """For every type: values, to JSON, and back; with what is null left out as well."""
    fields = data.draw(data_of(CATALOGUE, event_type))
    written = json.loads(json.dumps(plain(fields)))

    for given_fields in (written, {name: each for name, each in written.items() if each is not None}):
        read, misfits = read_fields(CATALOGUE[EventType(event_type)].schema, given_fields)
        assert misfits == []
        assert CODEC.encode(EventType(event_type), fields) == CODEC.encode(EventType(event_type), read)


JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(data=st.data(), event_type=st.sampled_from(TYPES), junk=JUNK)
def test_what_is_read_without_a_misfit_can_be_encoded(data: st.DataObject, event_type: str, junk: Any) -> None:
    """Whatever stands in a field: it is a misfit, with a sentence in both languages, or the codec takes it."""
    spec = CATALOGUE[EventType(event_type)]
    name = data.draw(st.sampled_from(spec.fields))
    fields = plain(data.draw(data_of(CATALOGUE, event_type))) | {name: junk}

    read, misfits = read_fields(spec.schema, fields)

    assert all(each.path.startswith(name) and each.vi.endswith(".") and each.en.endswith(".") for each in misfits)
    if not misfits:
        CODEC.encode(spec.type, read)


def block(**changes: Any) -> dict[str, Any]:
    """Give a payment block as a person writes it; None takes a field out."""
    fields = {
        "target": SUBJECT | {"kind": "account"},
        "authority": "police-hanam",
        "decision_number": "15/QĐ-CSĐT",
        "decision_date": "2026-11-20",
        "legal_act": "nd-52-2024",
        "legal_article": "11.1.b",
        "decision": {"sha256": "ab" * 32, "media_type": "application/pdf", "size_bytes": 9},
        "bank_bin": "970436",
        "account": "900000000001",
        "extent": "amount",
        "amount_vnd": "15000000",
        "valid_from": "2026-11-21T00:00:00+07:00",
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "path", "sentence"),
    [
        ({"amount_vnd": "1.5"}, "amount_vnd", "at most 0 places"),
        ({"amount_vnd": 1.5}, "amount_vnd", "at most 0 places"),
        ({"amount_vnd": True}, "amount_vnd", "at most 0 places"),
        ({"amount_vnd": "ten"}, "amount_vnd", "at most 0 places"),
        ({"amount_vnd": "Infinity"}, "amount_vnd", "at most 0 places"),
        ({"amount_vnd": "0e999999999"}, "amount_vnd", "at most 0 places"),
        ({"amount_vnd": "1e20"}, "amount_vnd", "at most 20 whole digits"),
        ({"amount_vnd": "1" * 21}, "amount_vnd", "at most 20 whole digits"),
        ({"valid_from": "2026-11-21T00:00:00"}, "valid_from", "with its offset"),
        ({"valid_from": 5}, "valid_from", "with its offset"),
        ({"decision_date": "20/11/2026"}, "decision_date", "such as 2026-11-24"),
        ({"extent": "some"}, "extent", "one of: full, amount, unknown"),
        ({"extent": None}, "extent", "required"),
        ({"suspicion": "5"}, "suspicion", "a UUID"),
        ({"bank_bin": 970436}, "bank_bin", "a text"),
        ({"bank_bin": "\ud800"}, "bank_bin", "a text"),
        ({"target": "x"}, "target", "an object"),
        ({"target": {"kind": "account", "scheme": "s"}}, "target.value", "required"),
        ({"decision": {"sha256": "", "media_type": "", "size_bytes": 2**63}}, "decision.size_bytes", "a whole number"),
        ({"decision": {"sha256": "", "media_type": "", "size_bytes": True}}, "decision.size_bytes", "a whole number"),
        ({"account": {"key_id": "k", "nonce": "zz", "ciphertext": ""}}, "account.nonce", "hexadecimal"),
        ({"acount": "9"}, "acount", "no such field"),
        ({"\x1b[2J\ud800": "9"}, "\\x1b[2J\\ud800", "no such field"),
    ],
)
def test_what_does_not_fit_is_named_by_its_place(changes: dict[str, Any], path: str, sentence: str) -> None:
    """One misfit, with what should stand there."""
    schema = CATALOGUE[EventType("payment_block.requested")].schema

    [misfit] = read_fields(schema, block(**changes))[1]

    assert misfit.path == path
    assert sentence in misfit.en
    assert misfit.vi != misfit.en


@pytest.mark.parametrize("given_fields", [None, [], "x", 3])
def test_fields_are_an_object(given_fields: Any) -> None:
    """Anything else is one misfit of the whole."""
    fields, [misfit] = read_fields(CATALOGUE[EventType("seller.suspected")].schema, given_fields)

    assert (fields, misfit.path) == ({}, "")


def test_a_personal_value_goes_no_further() -> None:
    """In its place stands what has the length of its sealed form, and nothing of it."""
    schema = CATALOGUE[EventType("payment_block.requested")].schema

    fields, misfits = read_fields(schema, block(account="tài khoản 1"))

    assert misfits == []
    assert len(fields["account"]["ciphertext"]) == len("tài khoản 1".encode()) + 16
    assert "khoản" not in repr(fields)


def test_true_and_false_are_no_numbers() -> None:
    """No shipped type has a boolean; the house's schemas may."""
    schema = {"type": "record", "name": "R", "namespace": "n", "fields": [{"name": "a", "type": "boolean"}]}

    assert read_fields(schema, {"a": True}) == ({"a": True}, [])
    assert [each.path for each in read_fields(schema, {"a": 1})[1]] == ["a"]


def test_lists_and_maps_are_read_with_their_places() -> None:
    """`parcels[1].carrier`, `inputs.total`."""
    parcel = {"parcel": SUBJECT | {"kind": "parcel"}}
    suspected = {"seller": SUBJECT, "parcels": [parcel, parcel | {"carrier": 7}], "reasons": {}}
    anomaly = {"seller": SUBJECT, "rule_id": "r", "rule_version": "1", "severity": "low", "inputs": {"total": 3}}

    found = [each.path for each in read_fields(CATALOGUE[EventType("seller.suspected")].schema, suspected)[1]]
    assert {"parcels[1].carrier", "reasons"} <= set(found)
    [misfit] = read_fields(CATALOGUE[EventType("einvoice.anomaly_detected")].schema, anomaly)[1]
    assert misfit.path == "inputs.total"
    [misfit] = read_fields(CATALOGUE[EventType("einvoice.anomaly_detected")].schema, anomaly | {"inputs": []})[1]
    assert misfit.path == "inputs"
