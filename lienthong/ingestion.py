"""E-invoice files into the tax office: document kept, rules tried, event queued; one report a file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.tax_office import check_invoice
from connectors.einvoice import EinvoiceFile, expand, file_report, read_file
from lienthong.agency_session import AgencySession, now, open_agency, open_documents
from lienthong.directory import LiveDirectory
from streams.connecting import publish_item
from streams.connector import SourceItem
from streams.documents import DocumentStore
from streams.errors import InputError
from streams.sealing import reveal_personal

__all__ = ["EinvoiceIngestion", "tax_office"]

_SOURCE = "einvoice-files"


def tax_office(data: Path, chosen: str | None) -> str:
    """
    Say which agency takes e-invoices.

    Raises:
        InputError: the directory has none, or several and none was chosen.
    """
    directory = LiveDirectory(data)()
    if chosen is not None:
        return directory.agency(chosen).code
    offices = sorted(code for code, agency in directory.agencies.items() if agency.kind == "tax_office")
    if len(offices) != 1:
        raise InputError(f"Say which tax office with --agency: {', '.join(offices) or 'the directory has none'}.")
    return offices[0]


@dataclass(frozen=True)
class EinvoiceIngestion:
    """
    Reads files for one tax office.

    Args:
        session: the tax office's tools.
        documents: keeps the files' bytes.
    """

    session: AgencySession
    documents: DocumentStore

    @classmethod
    @asynccontextmanager
    async def open(cls, data: Path, agency: str) -> AsyncIterator[EinvoiceIngestion]:
        """
        Open it as a tax office.

        Raises:
            InputError: nothing is installed for this agency.
            TransientError: PostgreSQL or the registry is away.
        """
        async with open_agency(data, agency) as session:
            yield cls(session=session, documents=open_documents(session.settings, session.agency))

    def expand(self, paths: Sequence[Path], *, recursive: bool) -> list[Path]:
        """List the files that paths mean."""
        return expand(paths, recursive=recursive)

    async def ingest(self, path: Path) -> dict[str, Any]:
        """
        Read one file and queue its invoices.

        Returns:
            Its report: the shape of `lienthong ingest einvoice --json`.

        Raises:
            TransientError: a server or the disk is away; nothing of this file was queued.
        """
        file = read_file(path, received_at=now())
        findings = [finding for draft in file.drafts for finding in check_invoice(draft.data, reveal_personal)]
        found = [{"rule": each.rule_id, "severity": each.severity, "message": each.message_vi} for each in findings]
        outcome = await self._publish(file) if file.drafts and file.document else None
        return file_report(file, outcome=outcome, findings=found)

    async def _publish(self, file: EinvoiceFile) -> str:
        document = self.documents.put(file.content, media_type="application/xml")
        item = SourceItem(item_id=document.sha256, name=file.path.name, drafts=file.drafts)
        queued = await publish_item(
            item, source=_SOURCE, store=self.session.store, sender=self.session.sender, at=now()
        )
        return "published" if any(new for _, new in queued) else "duplicate"
