"""
Admit and share: the bus's own work on every published event.

Records are examined in memory, hundreds at a time; one transaction then holds all that was decided about them, and
after it copies, audit records and quarantined records are handed to Kafka from memory. Their batch ends when Kafka
confirmed all of it. After a crash the records are read again: the ledger knows them, and the same is handed over again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from streams.audit import AuditWriter
from streams.bus_store import BusStore
from streams.directory import Directory
from streams.errors import PermanentError
from streams.examination import Accepted, Examiner, Refused
from streams.metrics import Metrics
from streams.reader import Reader
from streams.record import Record
from streams.record_log import log_quarantined
from streams.redaction import Redactor
from streams.republish import Emit
from streams.settlement import Settlement

__all__ = ["AdmissionPipeline"]

_TOGETHER = 500
"""At most so many records in one transaction."""


@dataclass
class AdmissionPipeline:
    """
    Admits records of the event topics.

    Args:
        reader: makes events of records.
        redactor: encodes them for their copies.
        directory: gives the directory as it is now.
        store: the bus's ledger.
        metrics: counted after the transaction.
    """

    reader: Reader
    redactor: Redactor
    directory: Callable[[], Directory]
    store: BusStore
    metrics: Metrics
    _examiner: Examiner | None = field(default=None, repr=False)

    @cached_property
    def audit(self) -> AuditWriter:
        """Writes the audit log's records."""
        return AuditWriter(self.redactor.codec)

    async def process(self, records: Sequence[Record], emit: Emit) -> None:
        """
        Admit or quarantine records, those of each partition in order, and hand over what follows from it.

        Raises:
            TransientError: a server is away; what was handed over is handed over again by the next call.
        """
        examiner = self.examiner()
        for start in range(0, len(records), _TOGETHER):
            with self.metrics.stage("read"):
                part = [await examiner.examine(record) for record in records[start : start + _TOGETHER]]
            await self._settle(examiner, part, emit)

    def examiner(self) -> Examiner:
        """Give an examiner by the directory as it is now: an officer is entered before the officer's first act."""
        directory = self.directory()
        if self._examiner is None or self._examiner.directory is not directory:
            self._examiner = Examiner(self.reader, self.redactor, directory)
        return self._examiner

    async def _settle(self, examiner: Examiner, part: Sequence[Accepted | Refused], emit: Emit) -> None:
        try:
            with self.metrics.stage("transaction"):
                async with self.store.transaction() as transaction:
                    settlement = Settlement(transaction, examiner, self.audit)
                    await settlement.settle(part)
        except PermanentError as error:
            if error.code != "database_value":
                raise
            # Something in one of them has no place in the database, and nothing of any was kept: find that one.
            for smaller in _smaller(part, error):
                await self._settle(examiner, smaller, emit)
            return
        with self.metrics.stage("emit"):
            for row in settlement.rows:
                emit(row)
        self.account(settlement)

    def account(self, settlement: Settlement) -> None:
        """Count, and log, what a transaction decided, after it is committed."""
        for (topic, outcome), count in Counter(settlement.outcomes).items():
            self.metrics.processed(topic, outcome, count)
        self.metrics.durable(settlement.admitted)
        for item in settlement.refused:
            log_quarantined(item)


def _smaller(part: Sequence[Accepted | Refused], error: PermanentError) -> list[Sequence[Accepted | Refused]]:
    if len(part) > 1:
        half = len(part) // 2
        return [part[:half], part[half:]]
    if isinstance(part[0], Refused):
        raise error  # not even its refusal can be kept: no second try would help
    return [[Refused(part[0].record, error)]]
