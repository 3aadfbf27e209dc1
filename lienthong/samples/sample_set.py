"""
The sample set: e-invoice files with known faults, for the demo and for tests.

The same seed and day give the same bytes. Everything in it is invented: firms, tax codes, accounts, parcels, the bank.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

from lienthong.samples.bill import Bill, honest_bill
from lienthong.samples.firms import BANK_BIN, BANK_NAME, Firm, invent_firms
from lienthong.samples.honest import goods, honest_bills
from lienthong.samples.planted import CARELESS_SELLERS, Planted, careless_bills, suspect_bills
from lienthong.samples.xml import acknowledgement, bare, enveloped

__all__ = ["SampleSet", "write_samples"]

HONEST_SELLERS = 4
"""Sellers without any fault."""

BUYERS = 4
"""Firms that buy."""

_KINDS = ("200", "202", "203", None)
_ENVELOPES = ("202", "203", "200")
_MALFORMED_BYTES = 400


@dataclass(frozen=True, slots=True)
class SampleSet:
    """
    What was written, and what was planted in it.

    Args:
        folder: where the files are.
        files: all of them, in the order in which they should be read.
        expected: file name -> ids of the rules that find something in it, sorted; empty for a clean invoice.
        odd: file name -> what it is instead of one plain invoice file: `acknowledgement`, `base64`, `empty`,
            `malformed`, `other_root`. The one in base64 holds a clean invoice of an honest seller.
        honest_sellers: tax codes of sellers without a fault.
        careless_sellers: tax codes, as written, of sellers with one faulty invoice; none of them is to be suspected.
        seller_tax_code: of the seller who is to be suspected.
        seller_name: of the same.
        parcels: numbers of this seller's parcels, in the order of the files.
        account: this seller's account number.
        bank: the account's bank, as the invoices name it.
        bank_bin: the bank's six-digit number.
    """

    folder: Path
    files: tuple[Path, ...]
    expected: Mapping[str, tuple[str, ...]]
    odd: Mapping[str, str]
    honest_sellers: tuple[str, ...]
    careless_sellers: tuple[str, ...]
    seller_tax_code: str
    seller_name: str
    parcels: tuple[str, ...]
    account: str
    bank: str
    bank_bin: str


def write_samples(folder: Path, *, seed: int, as_of: date) -> SampleSet:
    """
    Write the sample set.

    Args:
        folder: made when it is missing; files of the same names are overwritten.
        seed: another one, as another day, gives other firms, goods and amounts with the same faults.
        as_of: the day on which the set is read; every file was sent before it.

    Raises:
        OSError: the folder cannot be written.
    """
    # The day goes in too: the same firms with the same numbers on another day would be changed invoices.
    random = Random(f"{seed}|{as_of}")  # noqa: S311 -- samples must repeat; nothing secret is made here
    firms = invent_firms(random, HONEST_SELLERS + CARELESS_SELLERS + BUYERS + 1)
    honest, careless = firms[:HONEST_SELLERS], firms[HONEST_SELLERS : HONEST_SELLERS + CARELESS_SELLERS]
    suspect, buyers = firms[-1], firms[-1 - BUYERS : -1]
    clean = honest_bills(random, honest, buyers, as_of=as_of)
    faulty = careless_bills(random, careless, buyers, as_of=as_of)
    caught = suspect_bills(random, suspect, buyers, as_of=as_of)
    contents = _clean_files(random, clean) | _bundle(random, honest[-1], buyers, as_of=as_of)
    contents |= _planted_files(random, faulty, first=31) | _planted_files(random, caught, first=51)
    odd = _odd_files(random, clean[0][1], honest[0], as_of=as_of)
    rules = dict.fromkeys(contents, ()) | _expected(faulty, first=31) | _expected(caught, first=51)
    folder.mkdir(parents=True, exist_ok=True)
    written = contents | {name: content for name, (_, content) in odd.items()}
    for name, content in sorted(written.items()):
        (folder / name).write_bytes(content)
    return SampleSet(
        folder=folder,
        files=tuple(folder / name for name in sorted(written)),
        expected=dict(sorted(rules.items())),
        odd={name: what for name, (what, _) in odd.items()},
        honest_sellers=tuple(each.tax_code for each in honest),
        careless_sellers=tuple(each.bill.seller.tax_code for each in faulty),
        seller_tax_code=suspect.tax_code,
        seller_name=suspect.name,
        parcels=tuple(number for each in caught for number in each.bill.parcels),
        account=suspect.account,
        bank=BANK_NAME,
        bank_bin=BANK_BIN,
    )


def _clean_files(random: Random, clean: Sequence[tuple[str, Bill]]) -> dict[str, bytes]:
    files = {}
    for place, (variety, bill) in enumerate(clean):
        kind = _KINDS[place % len(_KINDS)]
        content = bare(bill) if kind is None else enveloped([bill], kind=kind, random=random)
        files[f"{place + 1:02}-honest-{variety}.xml"] = content
    return files


def _bundle(random: Random, seller: Firm, buyers: Sequence[Firm], *, as_of: date) -> dict[str, bytes]:
    """Write one envelope with two invoices."""
    bills = [
        honest_bill(
            seller,
            buyer,
            goods(random, 1),
            series=f"K{as_of:%y}TVD",
            number=str(501 + place),
            issued_on=as_of - timedelta(days=4),
        )
        for place, buyer in enumerate(buyers[:2])
    ]
    return {"21-honest-bundle.xml": enveloped(bills, kind="203", random=random)}


def _planted_files(random: Random, planted: Sequence[Planted], *, first: int) -> dict[str, bytes]:
    return {
        _planted_name(each, first + place): enveloped(
            [each.bill], kind=_ENVELOPES[place % len(_ENVELOPES)], random=random
        )
        for place, each in enumerate(planted)
    }


def _expected(planted: Sequence[Planted], *, first: int) -> dict[str, tuple[str, ...]]:
    return {_planted_name(each, first + place): each.rules for place, each in enumerate(planted)}


def _planted_name(planted: Planted, place: int) -> str:
    return f"{place:02}-planted-{planted.name}.xml"


def _odd_files(random: Random, known: Bill, seller: Firm, *, as_of: date) -> dict[str, tuple[str, bytes]]:
    """Write what is no plain invoice file; in base64 a clean invoice that no other file has."""
    wrapped = honest_bill(
        seller, None, goods(random, 1), series=f"K{as_of:%y}TVD", number="601", issued_on=as_of - timedelta(days=2)
    )
    registration = '<?xml version="1.0" encoding="UTF-8"?>\n<TKhai><DLTKhai><PBan>2.0.1</PBan></DLTKhai></TKhai>\n'
    received_at = f"{as_of - timedelta(days=1)}T10:00:00"
    return {
        "90-acknowledgement.xml": ("acknowledgement", acknowledgement(random, received_at=received_at)),
        "91-malformed.xml": ("malformed", bare(known)[:_MALFORMED_BYTES]),
        "92-empty.xml": ("empty", b""),
        "93-base64.xml": ("base64", base64.b64encode(bare(wrapped))),
        "94-other-root.xml": ("other_root", registration.encode()),
    }
