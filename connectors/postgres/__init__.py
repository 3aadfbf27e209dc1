"""PostgreSQL: roles and migrations, the agencies' stores, the bus's ledger, the key service, and views of them."""

from connectors.postgres.agency_store import PostgresAgencyStore
from connectors.postgres.bus_store import PostgresBusStore
from connectors.postgres.canonical import (
    LOCAL_COLUMNS,
    TableHash,
    canonical_hash,
    canonical_rows,
    tables_of,
    whole_hash,
)
from connectors.postgres.connection import Database
from connectors.postgres.gaps import Gap, list_gaps, note_gaps, report_gaps
from connectors.postgres.inbox_view import (
    InboxItem,
    find_item,
    list_items,
    list_parked,
    names_document,
    received_counts,
    travel_seconds,
    waiting_in_outbox,
)
from connectors.postgres.keyring import PostgresKeyring
from connectors.postgres.ledger_view import delivery_counts, events_of, open_answers, trace
from connectors.postgres.migrate import make_roles, provision_database
from connectors.postgres.projections import (
    Difference,
    Projection,
    compare,
    empty_copies,
    last_offsets,
    placed_tables,
    refused_places,
    snapshot,
)
from connectors.postgres.quarantine_acts import Act, acts_of, note_acts
from connectors.postgres.quarantine_view import (
    QuarantinedItem,
    QuarantineFilter,
    QuarantineState,
    count_quarantined,
    find_quarantined,
    list_quarantined,
    records_of,
)
from connectors.postgres.waiting import agency_waiting, bus_waiting

__all__ = [
    "LOCAL_COLUMNS",
    "Act",
    "Database",
    "Difference",
    "Gap",
    "InboxItem",
    "PostgresAgencyStore",
    "PostgresBusStore",
    "PostgresKeyring",
    "Projection",
    "QuarantineFilter",
    "QuarantineState",
    "QuarantinedItem",
    "TableHash",
    "acts_of",
    "agency_waiting",
    "bus_waiting",
    "canonical_hash",
    "canonical_rows",
    "compare",
    "count_quarantined",
    "delivery_counts",
    "empty_copies",
    "events_of",
    "find_item",
    "find_quarantined",
    "last_offsets",
    "list_gaps",
    "list_items",
    "list_parked",
    "list_quarantined",
    "make_roles",
    "names_document",
    "note_acts",
    "note_gaps",
    "open_answers",
    "placed_tables",
    "provision_database",
    "received_counts",
    "records_of",
    "refused_places",
    "report_gaps",
    "snapshot",
    "tables_of",
    "trace",
    "travel_seconds",
    "waiting_in_outbox",
    "whole_hash",
]
