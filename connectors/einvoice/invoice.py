"""An invoice as plain values, and how it is read from its element, HDon (hóa đơn)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from lxml import etree

from connectors.einvoice.free_fields import FreeFields, read_free_fields
from connectors.einvoice.reading import local_name, walk
from connectors.einvoice.record import Notes, Record
from connectors.einvoice.tags import TagMap, tags_of_all_days, tags_on

__all__ = ["Invoice", "Line", "Party", "TaxRate", "is_invoice", "read_invoice"]

_MAX_KIND = 99


@dataclass(frozen=True, slots=True)
class Line:
    """One line, HHDVu (hàng hóa, dịch vụ); its fields are those of the Avro record InvoiceLine."""

    kind: int | None
    position: str | None
    code: str | None
    description: str | None
    unit: str | None
    quantity: Decimal | None
    unit_price: Decimal | None
    discount_rate: Decimal | None
    discount_amount: Decimal | None
    amount: Decimal | None
    tax_rate: str | None


@dataclass(frozen=True, slots=True)
class TaxRate:
    """The sum of one tax rate, LTSuat (thuế suất); its fields are those of the Avro record InvoiceTaxRate."""

    rate: str
    net_amount: Decimal | None
    tax_amount: Decimal | None


@dataclass(frozen=True, slots=True)
class Party:
    """
    The seller or the buyer, as written in the file.

    Args:
        tax_code: MST (mã số thuế); it may be wrong, and may be a person's identity number.
        personal_number: CCCDan (số căn cước công dân).
    """

    tax_code: str | None = field(repr=False)
    personal_number: str | None = field(repr=False)
    name: str | None = field(repr=False)
    address: str | None = field(repr=False)
    phone: str | None = field(repr=False)
    account: str | None = field(repr=False)
    bank: str | None


@dataclass(frozen=True, slots=True)
class Invoice:
    """
    One invoice, nothing corrected and nothing judged; what was absent or unreadable is None.

    Args:
        free: what the free fields, TTKhac (thông tin khác), say of parcels and shops.
        doubled: parts of which there may be one only and are more, so that no reading of the invoice is the right one.
    """

    format_version: str | None
    title: str | None
    form: str | None
    series: str | None
    number: str | None
    issued_on: date | None
    currency: str | None
    exchange_rate: Decimal | None
    payment_method: str | None
    seller: Party
    buyer: Party
    lines: tuple[Line, ...]
    tax_rates: tuple[TaxRate, ...]
    net_amount: Decimal | None
    tax_amount: Decimal | None
    discount_amount: Decimal | None
    total_amount: Decimal | None
    total_in_words: str | None
    tax_authority_code: str | None
    free: FreeFields
    doubled: tuple[str, ...] = ()


def is_invoice(element: etree._Element) -> bool:
    """
    Tell an invoice from other elements of its name.

    Notices (kinds 204, 300) list invoices as HDon elements that hold a key and a reason; only an invoice has DLHDon
    with NDHDon, its content.
    """
    tags = tags_of_all_days()
    return any(
        local_name(child) in tags["invoice.document"]
        and any(local_name(part) in tags["invoice.content"] for part in child)
        for child in element
    )


def read_invoice(element: etree._Element, *, received_on: date, notes: Notes, place: str) -> Invoice:
    """
    Read an invoice from its element.

    Args:
        element: HDon, for which `is_invoice` is true.
        received_on: day whose tag map is taken when the invoice says no date.
        notes: where to note what could not be read.
        place: what the element is, for notes.
    """
    tags = _tags_of(element, received_on)
    outer = Record(element, tags=tags, notes=notes, place=place)
    document = outer.record("invoice.document", place=place)
    general = document.record("invoice.general", place=place)
    content = document.record("invoice.content", place=place)
    totals = _totals((content, document, outer), place)
    return Invoice(
        format_version=general.key("invoice.format_version"),
        title=general.text("invoice.title"),
        form=general.key("invoice.form"),
        series=general.key("invoice.series"),
        number=general.key("invoice.number"),
        issued_on=general.day("invoice.issued_on"),
        currency=general.key("invoice.currency"),
        exchange_rate=general.decimal("invoice.exchange_rate"),
        payment_method=general.text("invoice.payment_method"),
        seller=_party(content.record("invoice.seller", place=f"{place}, seller")),
        buyer=_party(content.record("invoice.buyer", place=f"{place}, buyer")),
        lines=tuple(_lines(content, tags, notes, place)),
        tax_rates=tuple(_tax_rates(totals, tags, notes, place)),
        net_amount=totals.decimal("totals.net_amount"),
        tax_amount=totals.decimal("totals.tax_amount"),
        discount_amount=totals.decimal("totals.discount_amount"),
        total_amount=totals.decimal("totals.total_amount"),
        total_in_words=totals.text("totals.total_in_words"),
        tax_authority_code=_tax_authority_code(element, tags, notes, place),
        free=read_free_fields(document.element, tags=tags, notes=notes, place=place),
        doubled=tuple(_doubled(outer, document, content, tags)),
    )


def _tags_of(element: etree._Element, received_on: date) -> TagMap:
    """Choose the tag map by the invoice's own day, so that an old file is read with the names of its time."""
    silent = Notes()
    record = Record(element, tags=tags_of_all_days(), notes=silent, place="")
    general = record.record("invoice.document", place="").record("invoice.general", place="")
    return tags_on(general.day("invoice.issued_on") or received_on)


def _doubled(outer: Record, document: Record, content: Record, tags: TagMap) -> Iterator[str]:
    """Name the parts that must be single and are not: the way to show one invoice and to sign another."""
    single = {
        "invoice.document": outer,
        "invoice.general": document,
        "invoice.content": document,
        "invoice.seller": content,
        "invoice.lines": content,
    }
    return (tags[field][0] for field, record in single.items() if record.is_doubled(field))


def _totals(places: Sequence[Record], place: str) -> Record:
    """Find TToan, which some programs write into NDHDon and some beside it or beside DLHDon."""
    holders = (record for record in places if record.child("invoice.totals") is not None)
    return next(holders, places[0]).record("invoice.totals", place=f"{place}, totals")


def _party(record: Record) -> Party:
    """Read NBan (người bán) or NMua (người mua)."""
    return Party(
        tax_code=record.identifier("party.tax_code"),
        personal_number=record.identifier("party.personal_number"),
        name=record.text("party.name"),
        address=record.text("party.address"),
        phone=record.key("party.phone"),
        account=record.key("party.account"),
        bank=record.text("party.bank"),
    )


def _lines(content: Record, tags: TagMap, notes: Notes, place: str) -> Iterator[Line]:
    """Read DSHHDVu (danh sách hàng hóa, dịch vụ)."""
    container = content.child("invoice.lines")
    found = [child for child in container if local_name(child) in tags["invoice.line"]] if container is not None else []
    for number, element in enumerate(found, start=1):
        record = Record(element, tags=tags, notes=notes, place=f"{place}, line {number}")
        yield Line(
            kind=record.small_int("line.kind", at_most=_MAX_KIND),
            position=record.key("line.position"),
            code=record.key("line.code"),
            description=record.text("line.description"),
            unit=record.key("line.unit"),
            quantity=record.decimal("line.quantity"),
            unit_price=record.decimal("line.unit_price"),
            discount_rate=record.decimal("line.discount_rate"),
            discount_amount=record.decimal("line.discount_amount"),
            amount=record.decimal("line.amount"),
            tax_rate=record.key("line.tax_rate"),
        )


def _tax_rates(totals: Record, tags: TagMap, notes: Notes, place: str) -> Iterator[TaxRate]:
    """Read THTTLTSuat; some programs nest LTSuat in LTSuat, so whatever states a rate counts."""
    container = totals.child("totals.rates")
    for element in walk(container) if container is not None else ():
        record = Record(element, tags=tags, notes=notes, place=f"{place}, tax rates")
        if record.child("rate.rate") is not None:
            yield TaxRate(
                rate=record.key("rate.rate") or "",
                net_amount=record.decimal("rate.net_amount"),
                tax_amount=record.decimal("rate.tax_amount"),
            )


def _tax_authority_code(element: etree._Element, tags: TagMap, notes: Notes, place: str) -> str | None:
    """Find MCCQT (mã của cơ quan thuế), which stands in several places, at any depth."""
    for found in walk(element):
        if local_name(found) in tags["invoice.tax_authority_code"]:
            parent = Record(found.getparent(), tags=tags, notes=notes, place=place)
            if (code := parent.key("invoice.tax_authority_code")) is not None:
                return code
    return None
