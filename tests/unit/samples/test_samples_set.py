"""The sample set: the same again for the same seed, and what was planted is what is found."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from agents import market_surveillance, tax_office
from agents.tax_office import RULE_CARDS
from connectors.einvoice import read_file
from connectors.postal.numbers import check_number
from lienthong.samples import DECISION_NUMBER, SampleSet, write_decision, write_samples, write_scans
from lienthong.samples.firms import BANK_BIN
from streams.agent import Context, Handler
from streams.event import Draft, Event, derived_id
from streams.names import AgencyCode
from streams.sealing import Personal, reveal_personal
from streams.subject import pseudonym

AS_OF = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
ROOT = UUID(int=7)


@pytest.fixture
def samples(tmp_path: Path) -> SampleSet:
    """Write the set of one seed."""
    return write_samples(tmp_path / "samples", seed=319, as_of=AS_OF)


def contents(samples: SampleSet) -> dict[str, bytes]:
    """Read every file."""
    return {each.name: each.read_bytes() for each in samples.files}


def published(draft: Draft, handler: str, cause: UUID, index: int) -> Event:
    """Publish a draft as the bus does; personal values become records that stay closed."""
    return Event(
        id=draft.event_id or derived_id(cause, handler, index),
        type=draft.type,
        source=AgencyCode("tax-hanam"),
        subject=draft.subject,
        time=NOW,
        data=draft.data,
        correlation=ROOT,
        cause=cause,
    )


class Agency:
    """Runs one handler with its states, which go through JSON."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.states: dict[str, str] = {}

    def handle(self, event: Event) -> list[Event]:
        """Handle one event and publish what follows."""
        assert self.handler.state_key is not None
        key = self.handler.state_key(event)
        state: dict[str, Any] = json.loads(self.states.get(key, "{}"))
        context = Context(agency=AgencyCode("any"), now=NOW, state=state, reveal=reveal_personal)
        outcome = self.handler.handle(event, context)
        if outcome.state is not None:
            self.states[key] = json.dumps(outcome.state)
        return [published(each, self.handler.name, event.id, place) for place, each in enumerate(outcome.events)]


def drafts_of(samples: SampleSet) -> list[tuple[str, Draft]]:
    """Read the invoices as the tax office's connector does, in the order of the files."""
    return [(path.name, draft) for path in samples.files for draft in read_file(path, received_at=NOW).drafts]


@pytest.mark.parametrize(("seed", "as_of"), [(319, AS_OF), (320, AS_OF), (319, date(2026, 11, 25))])
def test_the_same_seed_and_day_give_the_same_bytes(samples: SampleSet, tmp_path: Path, seed: int, as_of: date) -> None:
    """And any other seed or day gives other firms."""
    same = (seed, as_of) == (319, AS_OF)

    again = write_samples(tmp_path / "again", seed=seed, as_of=as_of)

    assert same == (contents(samples) == contents(again))
    assert [each.name for each in samples.files] == [each.name for each in again.files]
    assert same == (samples.seller_tax_code == again.seller_tax_code)


def test_every_file_is_accounted_for(samples: SampleSet) -> None:
    """Each is an invoice with its expected rules, or an odd one."""
    names = {each.name for each in samples.files}

    assert names == set(samples.expected) | set(samples.odd)
    assert not set(samples.expected) & set(samples.odd)
    assert names == {each.name for each in samples.folder.iterdir()}
    assert Counter(samples.odd.values()) == Counter(["acknowledgement", "base64", "empty", "malformed", "other_root"])


def test_every_rule_of_the_tax_office_is_planted(samples: SampleSet) -> None:
    """So the demo shows each of them."""
    planted = {rule for rules in samples.expected.values() for rule in rules}

    assert {each.id for each in RULE_CARDS} == planted


@pytest.mark.parametrize("seed", range(4))
def test_what_was_planted_is_found_and_nothing_else(tmp_path: Path, seed: int) -> None:
    """File by file, through the connector and the tax office's agent."""
    samples = write_samples(tmp_path, seed=seed, as_of=AS_OF)
    agency = Agency(tax_office.SPEC.handlers[0])
    found: dict[str, list[str]] = {name: [] for name in samples.expected}

    for place, (name, draft) in enumerate(drafts_of(samples)):
        anomalies = agency.handle(published(draft, "ingest", ROOT, place))
        found.setdefault(name, []).extend(each.data["rule_id"] for each in anomalies)

    assert {name: list(rules) for name, rules in samples.expected.items()} == {
        name: rules for name, rules in found.items() if name not in samples.odd
    }


def test_only_the_planted_seller_is_suspected_and_its_parcels_flagged(samples: SampleSet) -> None:
    """Honest and careless sellers are left alone; every parcel is flagged once."""
    tax, market = Agency(tax_office.SPEC.handlers[0]), Agency(market_surveillance.SPEC.handlers[0])

    received = [published(draft, "ingest", ROOT, place) for place, (_, draft) in enumerate(drafts_of(samples))]
    reached = [event for each in received for anomaly in tax.handle(each) for event in market.handle(anomaly)]

    suspected = [each for each in reached if each.type == "seller.suspected"]
    flagged = [each for each in reached if each.type == "shipment.flagged"]
    assert [pseudonym("seller", "vn-mst", samples.seller_tax_code)] == [each.subject for each in suspected]
    assert sorted(pseudonym("parcel", "postal-number", each).key for each in samples.parcels) == sorted(
        each.subject.key for each in flagged
    )


def test_the_sellers_account_parcels_and_bank_stand_in_the_files(samples: SampleSet) -> None:
    """What the set says of the planted seller can be found by reading."""
    drafts = [
        draft
        for _, draft in drafts_of(samples)
        if reveal_personal(draft.data["seller_tax_code"]) == samples.seller_tax_code
    ]
    parcels = [each for draft in drafts for each in draft.data["parcels"]]

    assert {samples.account} == {reveal_personal(draft.data["seller_account"]) for draft in drafts}
    assert {samples.seller_name} == {reveal_personal(draft.data["seller_name"]) for draft in drafts}
    assert {samples.bank} == {draft.data["seller_bank"] for draft in drafts}
    assert list(samples.parcels) == [reveal_personal(each["number"]) for each in parcels]
    assert all(isinstance(each["number"], Personal) and each["carrier"] for each in parcels)
    assert samples.bank_bin == BANK_BIN


def test_message_kinds_and_bare_invoices_all_occur(samples: SampleSet) -> None:
    """And one bundle of two."""
    read = [read_file(each, received_at=NOW) for each in samples.files]

    assert {"200", "202", "203", "999", None} == {each.kind for each in read}
    assert {"TDiep", "HDon"} <= {each.root for each in read}
    assert [len(each.drafts) for each in read if len(each.drafts) > 1] == [2]
    assert {name for name, what in samples.odd.items() if what != "base64"} <= {
        each.path.name for each in read if each.outcome in {"no_invoice", "refused"}
    }


def test_postal_parcels_have_valid_numbers(samples: SampleSet) -> None:
    """By the judgement of the postal connector."""
    kinds = Counter(check_number(each).kind for each in samples.parcels if each.startswith("EV"))

    assert {"s10"} == set(kinds)
    assert all(check_number(each).valid for each in samples.parcels if each.startswith("EV"))
    assert any(each.startswith("VDX") for each in samples.parcels)


def test_the_decision_is_a_pdf_whose_offsets_are_right(tmp_path: Path) -> None:
    """Each entry of the cross-reference table points to its object."""
    path = write_decision(tmp_path)
    content = path.read_bytes()

    assert content == write_decision(tmp_path / "again").read_bytes()
    assert content.startswith(b"%PDF-1.")
    assert content.endswith(b"%%EOF\n")
    start = int(content.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    table = content[start:].split(b"\n")
    assert table[0] == b"xref"
    entries = [each for each in table if each.endswith(b" n ")]
    for number, entry in enumerate(entries, start=1):
        assert content[int(entry[:10]) :].startswith(b"%d 0 obj\n" % number)
    length = int(content.split(b"/Length ")[1].split()[0])
    stream = content.split(b">>\nstream\n")[1].split(b"\nendstream")[0]
    assert length == len(stream)
    assert DECISION_NUMBER.encode() in stream


def test_scans_name_the_parcels_on_the_day_before(samples: SampleSet, tmp_path: Path) -> None:
    """UTF-8 with the columns of the postal operator's file."""
    path = write_scans(tmp_path / "scans", samples.parcels, AS_OF)

    with path.open(encoding="utf-8", newline="") as file:
        scans = list(csv.DictReader(file))
    assert list(scans[0]) == ["number", "event_code", "office", "place", "seen_at", "remark"]
    assert list(samples.parcels) == [each["number"] for each in scans]
    assert {date(2026, 11, 23)} == {datetime.fromisoformat(each["seen_at"]).date() for each in scans}
    assert all(each["event_code"].startswith("EM") for each in scans)
