"""The postal operator's outgoing folder: one CSV and one JSON file for each flagged parcel."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from connectors.postal.durable import write_whole
from connectors.postal.flag_document import SHIPMENT_FLAGGED, flag_csv, flag_json
from streams.connector import Sink
from streams.errors import PermanentError, TransientError
from streams.event import Event
from streams.names import EventType
from streams.sealing import Reveal

__all__ = ["OutgoingFolder"]


class OutgoingFolder(Sink):
    """
    Writes `<event id>.json` and `<event id>.csv`; a repeat writes equal bytes over them.

    Args:
        folder: must be there. A missing one is waited for, because it may be a share that is not mounted.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def name(self) -> str:
        """A stable name, unique within the agency."""
        return "postal-outgoing"

    @property
    def event_types(self) -> frozenset[EventType]:
        """The types it takes."""
        return frozenset({SHIPMENT_FLAGGED})

    async def write(self, batch: Sequence[Event], *, reveal: Reveal) -> None:
        """
        Write two files for each event; those that can be written are, also when another cannot.

        Raises:
            TransientError: the folder is missing, or the disk is full or away.
            PermanentError: a number cannot be opened (code `number_not_opened`).
        """
        refused: list[PermanentError] = []
        for event in batch:
            try:
                made = {".json": flag_json(event, reveal), ".csv": flag_csv(event, reveal)}
            except PermanentError as error:
                refused.append(error)
                continue
            await asyncio.to_thread(self._write, str(event.id), made)
        if refused:
            raise refused[0]

    def _write(self, stem: str, made: dict[str, bytes]) -> None:
        try:
            for suffix, data in made.items():
                write_whole(self._folder / f"{stem}{suffix}", data)
        except FileNotFoundError as error:
            raise TransientError(f"The outgoing folder {self._folder} is missing: make it, or mount it.") from error
        except OSError as error:
            raise TransientError(f"{self._folder} cannot be written now: {error.strerror}.") from error
