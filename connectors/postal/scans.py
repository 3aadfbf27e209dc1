"""
The postal operator's scan folder: settled CSV and JSON files become `shipment.sighted`.

A file is settled when its size and time of change stayed equal between two polls. Put away, it lies in `done/` (at
least one good row) or `refused/`, with a `.reason.txt` beside it when something in it was refused.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from connectors.postal.scan_file import ScanFile, content_id, put_away, read_scan_file
from connectors.postal.scan_row import Scan
from streams.connector import Source, SourceItem
from streams.errors import TransientError
from streams.event import Draft, stated_id
from streams.names import AgencyCode, EventType
from streams.sealing import Personal
from streams.subject import SubjectRef, pseudonym

__all__ = ["MAX_SCAN_BYTES", "MAX_SCAN_ROWS", "SHIPMENT_SIGHTED", "Flag", "FlagLookup", "ScanFolder"]

SHIPMENT_SIGHTED = EventType("shipment.sighted")
"""The event type that rows become."""

MAX_SCAN_BYTES = 5 * 1024 * 1024
"""A larger file is refused."""

MAX_SCAN_ROWS = 20_000
"""Rows after these are refused."""

_SUFFIXES = frozenset({".csv", ".json", ".ods", ".xls", ".xlsx"})  # workbooks are taken to be refused with a reason
_FILES_A_POLL = 16
_CLOCK_TOLERANCE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Flag:
    """
    The alert that a sighting answers.

    Args:
        event_id: of the `shipment.flagged` event.
        correlation: id of the first event of its chain.
        depth: number of causes before it.
    """

    event_id: UUID
    correlation: UUID
    depth: int = 0


FlagLookup = Callable[[SubjectRef], Awaitable[Flag | None]]
"""Finds the latest alert about a parcel that reached this operator; raises TransientError when it cannot look."""


class ScanFolder(Source):
    """
    Reads scan files of the columns number, event_code, seen_at, and where given office, place, remark.

    Times without an offset are Vietnamese local time. Hidden files, links, folders and other suffixes are left alone.

    Args:
        folder: must be there. A missing one is waited for, because it may be a share that is not mounted.
        flags: looks up which alert a parcel's sighting answers.
        operator: the postal operator whose folder it is.
        max_bytes: of one file.
        max_rows: of one file.
        clock: gives the time, aware; a scan more than a day after it is refused.
    """

    def __init__(
        self,
        folder: Path,
        *,
        flags: FlagLookup,
        operator: AgencyCode,
        max_bytes: int = MAX_SCAN_BYTES,
        max_rows: int = MAX_SCAN_ROWS,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._folder = folder
        self._flags = flags
        self._operator = operator
        self._max_bytes = max_bytes
        self._max_rows = max_rows
        self._clock = clock
        self._seen: dict[str, tuple[int, int, int]] = {}

    @property
    def name(self) -> str:
        """A stable name, unique within the agency."""
        return "postal-scans"

    async def poll(self) -> Sequence[SourceItem]:
        """
        Give the settled files, oldest first, at most 16 at a time; a file needs two polls, also after a restart.

        Raises:
            TransientError: the folder is missing or cannot be read, or the flags cannot be looked up.
        """
        items: list[SourceItem] = []
        failed: OSError | None = None
        for name in await self._ready():
            try:
                file = await asyncio.to_thread(self._read, name)
            except OSError as error:
                failed = error  # the others go on; it is told by the poll that has nothing else to give
                continue
            if file is not None:
                drafts = await self._drafts(file.scans)
                items.append(SourceItem(item_id=file.item_id, name=name, drafts=drafts, refusals=tuple(file.refusals)))
        if failed is not None and not items:
            raise _away(self._folder, failed) from failed
        return items

    async def settle(self, item: SourceItem) -> None:
        """
        Move a file to `done/` or `refused/`, its reasons first; a file that changed meanwhile stays for the next poll.

        Raises:
            TransientError: it could not be moved now.
        """
        source = self._folder / Path(item.name).name
        try:
            if item.item_id == await asyncio.to_thread(content_id, source, max_bytes=self._max_bytes):
                await asyncio.to_thread(put_away, source, item)
        except OSError as error:
            raise _away(self._folder, error) from error

    async def _ready(self) -> list[str]:
        try:
            return (await asyncio.to_thread(self._settled))[:_FILES_A_POLL]
        except OSError as error:
            raise _away(self._folder, error) from error

    def _settled(self) -> list[str]:
        found: dict[str, tuple[int, int, int]] = {}
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if _is_taken(entry):
                    state = entry.stat(follow_symlinks=False)
                    found[entry.name] = (state.st_mtime_ns, state.st_size, state.st_ino)
        settled = [name for name, state in found.items() if self._seen.get(name) == state]
        self._seen = found
        return sorted(settled, key=lambda name: (found[name], name))

    def _read(self, name: str) -> ScanFile | None:
        return read_scan_file(
            self._folder / name,
            max_bytes=self._max_bytes,
            max_rows=self._max_rows,
            latest=self._clock() + _CLOCK_TOLERANCE,
        )

    async def _drafts(self, scans: Sequence[Scan]) -> tuple[Draft, ...]:
        flags: dict[SubjectRef, Flag | None] = {}
        drafts: list[Draft] = []
        for scan in scans:
            parcel = pseudonym("parcel", "postal-number", scan.number)
            if parcel not in flags:
                flags[parcel] = await self._flags(parcel)
            drafts.append(_draft(scan, parcel, flags[parcel], self._operator))
        return tuple(drafts)


def _draft(scan: Scan, parcel: SubjectRef, flag: Flag | None, operator: AgencyCode) -> Draft:
    # The pseudonym stands for the number: the same parcel written with and without dots is the same sighting.
    event_id = stated_id(SHIPMENT_SIGHTED, operator, parcel.value, scan.event_code, scan.seen_at.isoformat())
    return Draft(
        type=SHIPMENT_SIGHTED,
        subject=parcel,
        data={
            "parcel": parcel.as_data(),
            "number": Personal(subject=parcel, text=scan.number),
            "flag_id": flag.event_id if flag else None,
            "event_code": scan.event_code,
            "office": scan.office,
            "place": scan.place,
            "seen_at": scan.seen_at,
            "remark": scan.remark,
        },
        event_id=event_id,
        cause=flag.event_id if flag else None,
        correlation=flag.correlation if flag else None,
        cause_depth=flag.depth if flag else 0,
    )


def _is_taken(entry: os.DirEntry[str]) -> bool:
    hidden = entry.name.startswith((".", "~$"))
    readable = entry.name.isprintable()  # a name that is no text cannot be told to people
    return (
        not hidden
        and readable
        and Path(entry.name).suffix.lower() in _SUFFIXES
        and entry.is_file(follow_symlinks=False)
    )


def _away(folder: Path, error: OSError) -> TransientError:
    if isinstance(error, FileNotFoundError):
        return TransientError(f"The scan folder {folder} is missing: make it, or mount it.")
    return TransientError(f"The scan folder {folder} cannot be used now: {error.strerror}.")
