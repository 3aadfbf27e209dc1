"""Writes bills in the tax authority's format: a bare HDon, or one or several in an envelope (TDiep)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random

from lxml import etree

from lienthong.samples.bill import Bill, Line
from lienthong.samples.firms import BANK_NAME, Firm

__all__ = ["acknowledgement", "bare", "enveloped", "message_id"]

PROVIDER = "9900000017"
"""The invented provider's code, who sends on behalf of sellers."""

AUTHORITY = "TCT"
"""The tax authority's code in messages."""

VERSION = "2.0.1"
"""PBan of what is written here."""


def bare(bill: Bill) -> bytes:
    """Write one invoice without an envelope."""
    return _bytes(_invoice(bill, code=None))


def enveloped(bills: Sequence[Bill], *, kind: str, random: Random) -> bytes:
    """
    Write invoices in an envelope.

    Args:
        bills: at least one; all of one seller.
        kind: MLTDiep: 200 sent for a code, 202 coming back with one, 203 without a code.
        random: gives message ids and codes.
    """
    coded = kind == "202"
    sender, receiver = (AUTHORITY, PROVIDER) if coded else (PROVIDER, AUTHORITY)
    first = bills[0]
    general = _element(
        "TTChung",
        _element("PBan", VERSION),
        _element("MNGui", sender),
        _element("MNNhan", receiver),
        _element("MLTDiep", kind),
        _element("MTDiep", message_id(random, sender)),
        _element("MTDTChieu", message_id(random, PROVIDER) if coded else None),
        _element("MST", first.seller.tax_code),
        _element("SLuong", str(len(bills))),
        _element("TGGui", first.sent_at.isoformat()) if first.sent_at else None,
    )
    codes = [f"{random.getrandbits(136):034X}" if coded else None for _ in bills]
    invoices = [_invoice(bill, code=code) for bill, code in zip(bills, codes, strict=True)]
    return _bytes(_element("TDiep", general, _element("DLieu", *invoices)))


def acknowledgement(random: Random, *, received_at: str) -> bytes:
    """Write a technical acknowledgement, kind 999, which carries no invoice."""
    refers_to = message_id(random, PROVIDER)
    general = _element(
        "TTChung",
        _element("PBan", VERSION),
        _element("MNGui", AUTHORITY),
        _element("MNNhan", PROVIDER),
        _element("MLTDiep", "999"),
        _element("MTDiep", message_id(random, AUTHORITY)),
        _element("MTDTChieu", refers_to),
    )
    notice = _element(
        "TBao",
        _element("MTDiep", refers_to),
        _element("MNGui", PROVIDER),
        _element("NNhan", received_at),
        _element("TTTNhan", "0"),
    )
    return _bytes(_element("TDiep", general, _element("DLieu", notice)))


def message_id(random: Random, sender: str) -> str:
    """Invent a message id: the sender's code and 32 hexadecimal digits."""
    return f"{sender}{random.getrandbits(128):032X}"


def _invoice(bill: Bill, *, code: str | None) -> etree._Element:
    document = _element("DLHDon", _general(bill), _content(bill))
    document.set("Id", "SigningData")
    return _element(
        "HDon", document, _element("MCCQT", code) if code else None, _element("DSCKS", _element("NBan", None))
    )


def _general(bill: Bill) -> etree._Element:
    fields = [_free("Mã vận đơn", number) for number in bill.parcels]
    if bill.carrier:
        fields.append(_free("Đơn vị vận chuyển", bill.carrier))
    if bill.shop:
        fields.append(_free("Gian hàng", bill.shop))
    return _element(
        "TTChung",
        _element("PBan", VERSION),
        _element("THDon", bill.title),
        _element("KHMSHDon", bill.form),
        _element("KHHDon", bill.series),
        _element("SHDon", bill.number),
        _element("NLap", bill.issued_on.isoformat()),
        _element("DVTTe", bill.currency),
        _element("TGia", _number(bill.exchange_rate)),
        _element("HTTToan", "TM/CK"),
        _element("MSTTCGP", PROVIDER),
        _element("TTKhac", *fields),
    )


def _content(bill: Bill) -> etree._Element:
    lines = [_line(line, place) for place, line in enumerate(bill.lines, start=1)]
    return _element(
        "NDHDon",
        _party("NBan", bill.seller, account=True),
        _party("NMua", bill.buyer, account=False),
        _element("DSHHDVu", *lines),
        _totals(bill),
    )


def _party(name: str, firm: Firm | None, *, account: bool) -> etree._Element:
    if firm is None:
        return _element(name, _element("Ten", "Khách hàng không lấy hóa đơn"))
    return _element(
        name,
        _element("Ten", firm.name),
        _element("MST", firm.tax_code),
        _element("DChi", firm.address),
        _element("STKNHang", firm.account) if account else None,
        _element("TNHang", BANK_NAME) if account else None,
    )


def _line(line: Line, place: int) -> etree._Element:
    return _element(
        "HHDVu",
        _element("TChat", str(line.kind)),
        _element("STT", str(place)),
        _element("MHHDVu", f"VD{place:03}"),
        _element("THHDVu", line.name),
        _element("DVTinh", "Cái"),
        _element("SLuong", _number(line.quantity)),
        _element("DGia", _number(line.price)),
        _element("STCKhau", _number(line.discount)),
        _element("ThTien", _number(line.amount)),
        _element("TSuat", line.rate) if line.rate else None,
    )


def _totals(bill: Bill) -> etree._Element:
    rates = [
        _element("LTSuat", _element("TSuat", rate), _element("ThTien", _number(net)), _element("TThue", _number(tax)))
        for rate, net, tax in bill.rates
    ]
    return _element(
        "TToan",
        _element("THTTLTSuat", *rates) if rates else None,
        None if bill.net is None else _element("TgTCThue", _number(bill.net)),
        None if bill.tax is None else _element("TgTThue", _number(bill.tax)),
        _element("TTCKTMai", _number(bill.discount)),
        _element("TgTTTBSo", _number(bill.total)),
        _element("TgTTTBChu", bill.words),
    )


def _free(name: str, value: str) -> etree._Element:
    return _element("TTin", _element("TTruong", name), _element("KDLieu", "string"), _element("DLieu", value))


def _element(name: str, *content: etree._Element | str | None) -> etree._Element:
    """Make an element of text, children or nothing; None among the content is left out."""
    element = etree.Element(name)
    for each in content:
        if isinstance(each, str):
            element.text = each
        elif each is not None:
            element.append(each)
    return element


def _number(value: Decimal) -> str:
    return f"{value:f}"


def _bytes(root: etree._Element) -> bytes:
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)
