"""The 108 real messages, where they are at hand: beside the repository, never in it."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.einvoice import EinvoiceFile, expand, file_report, read_file

DATA = Path(__file__).parents[3].parent / "shared" / "data"
FOLDER = DATA / "einvoice"
NOW = datetime(2026, 11, 24, tzinfo=UTC)
KEY = {
    "seller_tax_code": "seller_mst",
    "buyer_tax_code": "buyer_mst",
    "form": "khms",
    "series": "khh",
    "number": "shdon",
    "date": "nlap",
}
TOTALS = {"net": "tgtcthue", "tax": "tgtthue", "total": "tgtttbso"}

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="shared/data/einvoice is not beside the repository")


@pytest.fixture(scope="module")
def files() -> dict[str, EinvoiceFile]:
    """Give every message by its file name."""
    return {path.name: read_file(path, received_at=NOW) for path in expand([FOLDER], recursive=False)}


@pytest.fixture(scope="module")
def profile() -> dict[str, dict[str, str]]:
    """Give the known answers by file name."""
    with (FOLDER / "invoice_profile.csv").open(encoding="utf-8", newline="") as stream:
        return {row["file"]: row for row in csv.DictReader(stream)}


def test_every_file_has_an_outcome(files: dict[str, EinvoiceFile]) -> None:
    """Nothing is left out, and what is no invoice says why."""
    outcomes = [file.outcome for file in files.values()]

    assert len(files) == 108
    assert {outcome: outcomes.count(outcome) for outcome in set(outcomes)} == {
        None: 16,
        "no_invoice": 82,
        "refused": 10,
    }
    assert all(file.reason for file in files.values() if not file.drafts)
    assert not any(file.notes for file in files.values())


def test_exactly_the_known_files_carry_invoices(
    files: dict[str, EinvoiceFile], profile: dict[str, dict[str, str]]
) -> None:
    """Notices that list invoices, shells and empty envelopes carry none."""
    assert profile.keys() == {name for name, file in files.items() if file.invoices}
    assert profile.keys() == {name for name, file in files.items() if file.drafts}


def test_keys_and_totals_agree(files: dict[str, EinvoiceFile], profile: dict[str, dict[str, str]]) -> None:
    """All sixteen rows, field by field."""
    for name, row in profile.items():
        report = file_report(files[name], outcome="published")
        (invoice,) = report["invoices"]
        expected = [row["mltdiep"], *(row[column] for column in KEY.values())]
        assert expected == [report["kind"] or "", *(invoice[key] or "" for key in KEY)], name
        assert row["lines"] == str(invoice["lines"])
        assert [Decimal(row[column]) for column in TOTALS.values()] == [Decimal(invoice[key]) for key in TOTALS], name


def test_copies_of_an_invoice_are_one_event(files: dict[str, EinvoiceFile]) -> None:
    """Signed and unsigned twins and the same message in three files come to twelve events."""
    assert len({draft.event_id for file in files.values() for draft in file.drafts}) == 12


def test_the_old_templates_are_read_with_the_names_of_their_time() -> None:
    """Lines and dates have other names there; their values are field lengths, so numbers are all that can be read."""
    paths = expand([FOLDER / "tvan_templates"], recursive=False)
    files = [read_file(path, received_at=NOW) for path in paths]

    assert len(files) == 15
    invoices = [invoice for file in files for invoice in file.invoices]
    assert {"2020-12-12"} == {str(invoice.issued_on) for invoice in invoices}
    assert {"500 - Ten"} == {line.description for invoice in invoices for line in invoice.lines}


@pytest.mark.skipif(not (DATA / "badinput").is_dir(), reason="shared/data/badinput is not beside the repository")
def test_attack_files_are_refused() -> None:
    """Entities, external files and other formats never come through."""
    paths = [path for path in (DATA / "badinput").rglob("*") if path.is_file() and path.stat().st_size < 200_000]

    outcomes = {path.name: read_file(path, received_at=NOW).outcome for path in paths}

    assert "xmlbomb.xml" in outcomes
    assert {"refused"} == set(outcomes.values())
