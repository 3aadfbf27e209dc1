"""What was refused stays refused: a reader that knows which records went to quarantine, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from streams.avro_reader import Ends
from streams.bus_store import Place
from streams.errors import PermanentError
from streams.event import Event
from streams.reader import Reader
from streams.record import Record

__all__ = ["Refused", "RefusingReader"]

Refused = Mapping[Place, tuple[str, str]]
"""Code and sentence by the place of the record that was refused."""


@dataclass(frozen=True)
class RefusingReader(Reader):
    """
    Refuses again what was refused, by the same code and sentence; a directory or program may have changed since.

    Args:
        refused: code and sentence by the record's place.
    """

    refused: Refused

    async def read_marked(self, record: Record) -> tuple[Event, Ends | None]:
        """Read a record's event, or refuse it as before."""
        self._refuse(record)
        return await super().read_marked(record)

    def read_known(self, record: Record) -> tuple[Event, Ends | None]:
        """Read a record's event without asking anybody, or refuse it as before."""
        self._refuse(record)
        return super().read_known(record)

    def _refuse(self, record: Record) -> None:
        if (known := self.refused.get(Place.of(record))) is not None:
            code, detail = known
            raise PermanentError(detail, code=code)
