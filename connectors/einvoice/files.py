"""Files and folders of e-invoices: what the command line calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from connectors.einvoice.drafting import draft_invoice
from connectors.einvoice.invoice import Invoice, read_invoice
from connectors.einvoice.message import Message, read_message
from connectors.einvoice.reading import DEFAULT_LIMITS, Limits, Refused, parse_xml
from connectors.einvoice.record import Notes
from streams.calendar import vietnamese_day
from streams.documents import DocumentRef, document_ref
from streams.errors import InputError
from streams.event import Draft

__all__ = ["EinvoiceFile", "expand", "read_content", "read_file"]


@dataclass(frozen=True, slots=True)
class EinvoiceFile:
    """
    What one file is.

    Args:
        path: as it was given.
        root: local name of the root element; None when it could not be parsed.
        kind: MLTDiep (mã loại thông điệp).
        message_id: MTDiep (mã thông điệp).
        refers_to: MTDTChieu (mã thông điệp tham chiếu).
        content: the bytes as they came, to be kept as a document when there are drafts.
        document: the name of these bytes; None when they are no XML of ours.
        drafts: one event for each invoice, each with its own `event_id`; an invoice that stands twice is one.
        invoices: every invoice, also one that makes no draft.
        outcome: None when there are drafts: then the caller knows whether they are new.
        reason: why there is no draft, or which invoices of a bundle make none.
        notes: what was left out of the drafts, for people.
    """

    path: Path
    root: str | None = None
    kind: str | None = None
    message_id: str | None = None
    refers_to: str | None = None
    content: bytes = field(default=b"", repr=False)
    document: DocumentRef | None = None
    drafts: tuple[Draft, ...] = field(default=(), repr=False)
    invoices: tuple[Invoice, ...] = field(default=(), repr=False)
    outcome: Literal["no_invoice", "refused"] | None = None
    reason: str | None = None
    notes: tuple[str, ...] = ()


def expand(paths: Iterable[Path], *, recursive: bool) -> list[Path]:
    """
    List the files that paths mean: a file is itself, a folder its own `*.xml`, sorted, without hidden ones.

    Args:
        paths: files and folders; a file that is meant twice is listed once.
        recursive: look into the folders of folders too.

    Raises:
        InputError: a path does not exist, is no file and no folder, or may not be read.
    """
    found: dict[Path, None] = {}
    for path in paths:
        try:
            found.update(dict.fromkeys(_files_of(path, recursive=recursive)))
        except OSError as error:
            raise InputError(f"{path} cannot be read ({error.strerror}): check its name and permissions.") from error
    return list(found)


def read_file(path: Path, *, received_at: datetime, limits: Limits = DEFAULT_LIMITS) -> EinvoiceFile:
    """
    Read one file, whatever is in it; bad content is an outcome, never an exception.

    Args:
        path: of a file, as `expand` gives it.
        received_at: aware UTC.
        limits: what a file may hold at most.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(limits.max_bytes + 1)
    except OSError as error:
        reason = f"The file cannot be read ({error.strerror}): check its name and permissions."
        return EinvoiceFile(path=path, outcome="refused", reason=reason)
    return read_content(content, path=path, received_at=received_at, limits=limits)


def read_content(content: bytes, *, path: Path, received_at: datetime, limits: Limits = DEFAULT_LIMITS) -> EinvoiceFile:
    """
    Read the bytes of one file, as `read_file` does.

    Args:
        content: as they came.
        path: what they are called in reports.
        received_at: aware UTC.
        limits: what a file may hold at most.
    """
    root = parse_xml(content, limits=limits)
    if isinstance(root, Refused):
        return EinvoiceFile(path=path, content=content, outcome="refused", reason=root.reason)
    notes = Notes()
    message = read_message(root, notes=notes)
    document = document_ref(content, media_type="application/xml") if message.outcome != "refused" else None
    invoices: tuple[Invoice, ...] = ()
    drafts: tuple[Draft, ...] = ()
    reason = message.reason
    if message.invoices and document is not None:
        invoices = _read_invoices(message, received_at, notes)
        drafts, reason = _draft_invoices(invoices, message, document, received_at, notes)
    return EinvoiceFile(
        path=path,
        root=message.root,
        kind=message.kind,
        message_id=message.message_id,
        refers_to=message.refers_to,
        content=content,
        document=document,
        drafts=drafts,
        invoices=invoices,
        outcome=None if drafts else (message.outcome or "refused"),
        reason=reason,
        notes=notes.as_tuple(),
    )


def _files_of(path: Path, *, recursive: bool) -> Sequence[Path]:
    """List what one path means."""
    if path.is_dir():
        found = path.rglob("*") if recursive else path.iterdir()
        return sorted(
            file for file in found if file.suffix.lower() == ".xml" and not file.name.startswith(".") and file.is_file()
        )
    if path.is_file():
        return [path]
    if path.exists():
        raise InputError(f"{path} is neither a file nor a folder: give files or folders of XML.")
    raise InputError(f"{path} does not exist: check the name.")


def _read_invoices(message: Message, received_at: datetime, notes: Notes) -> tuple[Invoice, ...]:
    """Read every invoice of a message."""
    received_on = vietnamese_day(received_at)
    return tuple(
        read_invoice(element, received_on=received_on, notes=notes, place=f"invoice {number}")
        for number, element in enumerate(message.invoices, start=1)
    )


def _draft_invoices(
    invoices: tuple[Invoice, ...], message: Message, document: DocumentRef, received_at: datetime, notes: Notes
) -> tuple[tuple[Draft, ...], str | None]:
    """Make the drafts, and say which invoices make none; the others go on."""
    drafts: dict[object, Draft] = {}
    refusals: list[str] = []
    for index, invoice in enumerate(invoices):
        try:
            draft = draft_invoice(invoice, message=message, document=document, index=index, received_at=received_at)
        except InputError as error:
            refusals.append(f"Invoice {index + 1} of the file was refused: {error}.")
            continue
        if draft.event_id in drafts:
            notes.add(f"invoice {index + 1}: it stands in the file already; it is published once.")
        drafts.setdefault(draft.event_id, draft)
    return tuple(drafts.values()), " ".join(refusals) or None
