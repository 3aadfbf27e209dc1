"""The envelope, TDiep (thông điệp), and the invoices that a file carries, whatever its kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Literal

from lxml import etree

from connectors.einvoice.invoice import is_invoice
from connectors.einvoice.reading import local_name, unwrap_base64, walk
from connectors.einvoice.record import Notes, Record
from connectors.einvoice.tags import TagMap, tags_of_all_days

__all__ = ["Message", "read_message"]

_ENVELOPE = "TDiep"
_INVOICE = "HDon"


@dataclass(frozen=True, slots=True)
class Message:
    """
    What a file is, before its invoices are read.

    Args:
        root: local name of the root element.
        kind: MLTDiep (mã loại thông điệp); None for a bare invoice, and where the envelope says none.
        message_id: MTDiep (mã thông điệp).
        refers_to: MTDTChieu (mã thông điệp tham chiếu).
        sent_at: when the envelope says it was sent, UTC.
        invoices: elements for which `is_invoice` is true, in document order.
        outcome: None when there are invoices.
        reason: why there are none, and what to do where something should be done.
    """

    root: str
    kind: str | None = None
    message_id: str | None = None
    refers_to: str | None = None
    sent_at: datetime | None = None
    invoices: tuple[etree._Element, ...] = ()
    outcome: Literal["no_invoice", "refused"] | None = None
    reason: str | None = None


def read_message(root: etree._Element, *, notes: Notes) -> Message:
    """Read the envelope and find the invoices; anything but TDiep and HDon is refused by name."""
    name = local_name(root)
    if name == _INVOICE:
        return _bare_invoice(root)
    if name == _ENVELOPE:
        return _envelope(root, notes)
    shown = name[:80]
    return Message(
        root=shown,
        outcome="refused",
        reason=f"The root element {shown} is no e-invoice message: give a TDiep or an HDon.",
    )


def _bare_invoice(root: etree._Element) -> Message:
    """Take a file that is one invoice without an envelope."""
    if is_invoice(root):
        return Message(root=_INVOICE, invoices=(root,))
    reason = "The HDon has no DLHDon with NDHDon, so there is no invoice in it: ask the sender for the whole invoice."
    return Message(root=_INVOICE, outcome="no_invoice", reason=reason)


def _envelope(root: etree._Element, notes: Notes) -> Message:
    """Read TTChung of the envelope and look for invoices in its DLieu."""
    tags = tags_of_all_days()
    general = Record(root, tags=tags, notes=notes, place="envelope").record("message.general", place="envelope")
    data = [child for child in root if local_name(child) in tags["message.data"]]
    kind = general.key("message.kind")
    invoices = tuple(invoice for part in data for invoice in _invoices(part))
    outcome, reason = (None, None) if invoices else _without_invoice(root, data, kind, tags)
    return Message(
        root=_ENVELOPE,
        kind=kind,
        message_id=general.key("message.id"),
        refers_to=general.key("message.refers_to"),
        sent_at=general.time("message.sent_at"),
        invoices=invoices,
        outcome=outcome,
        reason=reason,
    )


def _invoices(data: etree._Element) -> Iterator[etree._Element]:
    """Give the invoices in an envelope's data, one or a bundle of them, but none that hides in another invoice."""
    for element in walk(data):
        if local_name(element) == _INVOICE and is_invoice(element) and not _inside_invoice(element, data):
            yield element


def _inside_invoice(element: etree._Element, data: etree._Element) -> bool:
    """Tell whether an element stands in another HDon of the same data."""
    inner = takewhile(lambda ancestor: ancestor is not data, element.iterancestors())
    return any(local_name(ancestor) == _INVOICE for ancestor in inner)


def _without_invoice(
    root: etree._Element, data: list[etree._Element], kind: str | None, tags: TagMap
) -> tuple[Literal["no_invoice", "refused"], str]:
    """Say why a message carries no invoice."""
    if any(unwrap_base64((part.text or "").encode()) is not None for part in data):
        return "refused", "The envelope's DLieu is XML wrapped in base64: decode it first and give the XML."
    if not len(root):
        return "no_invoice", "The envelope is empty: ask the sender for the message again."
    if kind is None:
        return (
            "no_invoice",
            "The envelope names no message kind (MLTDiep) and carries no whole invoice (DLHDon, NDHDon).",
        )
    known = tags.kinds.get(kind)
    if known is None:
        return "no_invoice", f"The message kind {kind} is not in the table of kinds, and it carries no invoice."
    if not known.invoices:
        return "no_invoice", f"Message kind {kind} ({known.en}) carries no invoice."
    reason = f"Message kind {kind} ({known.en}) should carry an invoice, but its DLieu holds none: ask for it again."
    return "no_invoice", reason
