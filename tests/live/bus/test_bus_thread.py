"""One thread through every layer: invoices, anomalies, suspicion, block, answers, flags, sightings."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from province import Province

from lienthong.samples import SampleSet, write_decision, write_samples, write_scans
from streams.names import BUS
from streams.subject import pseudonym

pytestmark = pytest.mark.live

INVESTIGATOR, PAYMENT_DESK = "police-hanam/investigator", "sbv-hanam/payment-desk"
TODAY = datetime.now(UTC).date()
REPORT = ["file", "root", "kind", "message_id", "refers_to", "invoices", "outcome", "reason", "findings"]
INVOICE = [
    *("seller_tax_code", "buyer_tax_code", "form", "series", "number", "date", "lines", "net", "tax", "total"),
    "tax_authority_code",
]
TRACE = ["event_id", "type", "agency", "cause", "at", "topic", "recipients"]
OPEN = ["event_id", "agency", "due", "late_seconds"]
RECIPIENT = ["agency", "delivered_at", "removed", "answer"]


def _seller(samples: SampleSet) -> str:
    return pseudonym("seller", "vn-mst", samples.seller_tax_code).value


def _suspicion(province: Province, samples: SampleSet) -> str | None:
    rows = province.rows(
        BUS, "select event_id from event where event_type = 'seller.suspected' and subject_value = %s", _seller(samples)
    )
    return str(rows[0][0]) if rows else None


def _chain(province: Province, event_id: str) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in province.lines("trace", event_id):
        assert list(row) == TRACE
        assert all(list(each) == RECIPIENT for each in row["recipients"])
        rows.setdefault(row["type"], []).append(row)
    return rows


def _removed(row: dict[str, Any]) -> dict[str, list[str]]:
    return {each["agency"]: each["removed"] for each in row["recipients"]}


def _order(samples: SampleSet, suspicion: str, decision: Path) -> list[str]:
    options = {
        "--as": INVESTIGATOR,
        "--event": suspicion,
        "--decision-file": str(decision),
        "--number": f"{samples.seller_tax_code}/QD",
        "--date": TODAY.isoformat(),
        "--act": "nd-52-2024",
        "--article": "11.1",
        "--bank-bin": samples.bank_bin,
        "--account": samples.account,
        "--from": TODAY.isoformat(),
    }
    return [word for pair in options.items() for word in pair]


def test_invoices_lead_to_a_block_that_is_answered_and_to_parcels_that_are_seen(
    province: Province, folder: Path
) -> None:
    """From files in to nothing open, by the commands alone; the trace shows who had what without which fields."""
    samples = write_samples(folder / "files", seed=1, as_of=TODAY)

    _ingest(province, samples)
    province.until("the suspicion", lambda: _suspicion(province, samples))
    province.settle()
    suspicion = _suspicion(province, samples)
    assert suspicion is not None
    request = _block(province, samples, suspicion, write_decision(folder))
    flags = _see_the_parcels(province, samples, folder)

    late = province.lines("open")
    assert all(list(each) == OPEN for each in late)
    assert not {request, *flags.values()} & {each["event_id"] for each in late}
    _assert_block_is_traced(province, suspicion, request)
    _assert_flags_are_traced(province, flags)


def _ingest(province: Province, samples: SampleSet) -> None:
    reports = province.lines("ingest", "einvoice", samples.folder)

    assert [list(each) for each in reports] == [REPORT] * len(samples.files)
    assert all(list(invoice) == INVOICE for each in reports for invoice in each["invoices"])
    assert {Path(each["file"]).name for each in reports} == {each.name for each in samples.files}
    assert {each["outcome"] for each in reports} == {"published", "no_invoice", "refused"}


def _block(province: Province, samples: SampleSet, suspicion: str, decision: Path) -> str:
    """Order the block and answer it: accepted, then executed, and then nothing more."""
    for officer in (INVESTIGATOR, PAYMENT_DESK):
        assert province.lines("officer", "add", officer)[0]["officer"] == officer
    ordered = province.lines("act", "payment-block", *_order(samples, suspicion, decision))[0]
    assert list(ordered) == ["event_id", "type", "new"]
    assert ordered["new"] is True
    request = str(ordered["event_id"])
    province.settle()

    owed = province.lines("open", "--agency", "sbv-hanam")
    assert all(list(each) == OPEN for each in owed)
    assert request in [each["event_id"] for each in owed]
    listed = province.lines("inbox", "list", "--as", PAYMENT_DESK, "--waiting")
    assert request in [each["event_id"] for each in listed]
    shown = province.lines("inbox", "show", request, "--as", PAYMENT_DESK)[0]
    assert (shown["data"]["account"], shown["officer"]) == (samples.account, INVESTIGATOR)
    for status in ("accepted", "executed"):
        given = province.lines("inbox", "answer", request, "--as", PAYMENT_DESK, "--status", status)[0]
        assert (given["status"], given["new"]) == (status, True)
        province.settle()
    again = province.run("inbox", "answer", request, "--as", PAYMENT_DESK, "--status", "nothing_found")
    assert (again.code, again.out) == (1, "")
    return request


def _see_the_parcels(province: Province, samples: SampleSet, folder: Path) -> dict[str, str]:
    """Find the alerts in the operator's folder, and leave a scan file that answers them; give number -> event id."""
    outgoing, scans = (province.data / "agencies" / "post-hanam" / each for each in ("outgoing", "scans"))
    documents = (json.loads(path.read_text(encoding="utf-8")) for path in outgoing.glob("*.json"))
    flags = {flag["number"]: flag["event_id"] for flag in documents if flag["number"] in samples.parcels}
    assert set(samples.parcels) == set(flags)
    assert all((outgoing / f"{each}.csv").is_file() for each in flags.values())
    assert set(flags.values()) <= {each["event_id"] for each in province.lines("open", "--agency", "post-hanam")}

    write_scans(folder, samples.parcels, TODAY).rename(scans / "scans-thread.csv")

    sighted = "select count(*) from event where event_type = 'shipment.sighted' and cause = any(%s::uuid[])"
    province.until("the sightings", lambda: province.value(BUS, sighted, list(flags.values())) == len(flags))
    province.settle()
    return flags


def _assert_block_is_traced(province: Province, suspicion: str, request: str) -> None:
    chain = _chain(province, request)
    row = chain["payment_block.requested"][0]
    assert (row["agency"], row["topic"], row["cause"]) == ("police-hanam", "lt.payment_block.requested", suspicion)
    assert _removed(row) == {"bcd389-hanam": ["account", "signer"], "sbv-hanam": ["seller", "suspicion"]}
    answers = {each["agency"]: each["answer"] for each in row["recipients"]}
    assert answers["bcd389-hanam"] is None
    assert answers["sbv-hanam"]["status"] == "executed"
    assert [each["cause"] for each in chain["payment_block.answered"]] == [request] * 2
    assert {"einvoice.received", "einvoice.anomaly_detected", "seller.suspected"} <= chain.keys()
    assert chain == _chain(province, suspicion)


def _assert_flags_are_traced(province: Province, flags: dict[str, str]) -> None:
    flagged = [row for row in _rows(province, flags) if row["event_id"] in flags.values()]
    assert set(flags.values()) == {row["event_id"] for row in flagged}
    for row in flagged:
        assert _removed(row)["post-hanam"] == ["reasons", "seller"]
        assert next(each["answer"] for each in row["recipients"] if each["agency"] == "post-hanam")
        assert all(each["delivered_at"] for each in row["recipients"])


def _rows(province: Province, flags: dict[str, str]) -> list[dict[str, Any]]:
    """Trace every chain in which a flag stands, each once."""
    rows: dict[str, dict[str, Any]] = {}
    for flag in flags.values():
        if flag not in rows:
            rows |= {row["event_id"]: row for row in province.lines("trace", flag)}
    return list(rows.values())


def test_the_same_files_twice_change_nothing(province: Province, folder: Path) -> None:
    """Every invoice file is reported as a duplicate, and no table anywhere has a row more."""
    samples = write_samples(folder, seed=2, as_of=TODAY)
    first = province.lines("ingest", "einvoice", samples.folder)
    province.settle()
    before = province.counts()

    second = province.lines("ingest", "einvoice", samples.folder)
    province.settle()

    assert before == province.counts()
    known = {"published": "duplicate"}
    assert [{**each, "outcome": known.get(each["outcome"], each["outcome"])} for each in first] == second
    assert "duplicate" in {each["outcome"] for each in second}
