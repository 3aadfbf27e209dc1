"""
Planted bugs: small changes to a running worker, made around the product's own seams, that the checker must notice.

Each is what somebody might write in good faith. The worker's main program plants one before it starts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import agency_bugs
import bus_bugs
import runtime_bugs
from load import PROBE

from streams.names import BUS

__all__ = ["PLANTS", "Plant", "plant"]

_DESK = "bcd389-hanam"


@dataclass(frozen=True, kw_only=True)
class Plant:
    """
    One planted bug.

    Args:
        make: plants it in this process.
        title: what it is, in a line.
        where: whose worker has it.
        caught: invariants of which at least one must be broken by it.
        mix: shares of the load that provoke it.
        provoke: what else is done to bring it out: `kill` its worker, end `connections`, register a `schema`.
        keys: tables whose primary keys are taken away while it is tried.
    """

    make: Callable[[], None]
    title: str
    where: str
    caught: Sequence[str]
    mix: dict[str, float] = field(default_factory=dict)
    provoke: Sequence[str] = ()
    keys: Sequence[str] = ()


PLANTS: dict[str, Plant] = {
    "ack_before_commit": Plant(
        make=agency_bugs.acknowledge_first,
        title="records are acknowledged before their transaction is committed",
        where=_DESK,
        caught=("lost", "committed_past"),
        provoke=("kill",),
    ),
    "no_inbox_key": Plant(
        make=agency_bugs.trust_every_record,
        title="the inbox has no primary key, and nobody looks whether an event is there already",
        where=_DESK,
        caught=("duplicated",),
        provoke=("kill",),
        keys=("agency_bcd389_hanam.inbox",),
    ),
    "dedup_window": Plant(
        make=bus_bugs.forget_after_a_while,
        title="known ids are remembered for a while only",
        where=BUS,
        caught=("duplicated",),
        mix={"repeats": 0.2},
        keys=("bus.event", "bus.delivery"),
    ),
    "wrong_key": Plant(
        make=bus_bugs.key_by_event,
        title="copies are keyed by their event, not by its subject",
        where=BUS,
        caught=("wrong_partition",),
    ),
    "signature_ignored": Plant(
        make=bus_bugs.ignore_signatures,
        title="an officer's signature is checked, and the result is ignored",
        where=BUS,
        caught=("not_refused",),
        mix={"blocks": 0.3, "strangers": 0.1},
    ),
    "grant_ignored": Plant(
        make=bus_bugs.ignore_grants,
        title="whether a sender may publish a type is not asked",
        where=BUS,
        caught=("not_refused",),
        mix={"strangers": 0.1},
    ),
    "quarantine_after_ack": Plant(
        make=bus_bugs.quarantine_later,
        title="a refused record is written to quarantine some time after it was acknowledged",
        where=BUS,
        caught=("not_refused", "unaccounted", "committed_past"),
        mix={"strangers": 0.2},
        provoke=("kill",),
    ),
    "quarantine_dropped": Plant(
        make=bus_bugs.drop_quarantined,
        title="refused records do not reach the quarantine topic",
        where=BUS,
        caught=("quarantine_dropped",),
        mix={"strangers": 0.1},
    ),
    "audit_skipped_on_retry": Plant(
        make=bus_bugs.audit_first_try_only,
        title="what is tried a second time is not written to the audit log",
        where=BUS,
        caught=("audit",),
    ),
    "stale_schema": Plant(
        make=bus_bugs.keep_old_schema,
        title="a newer schema's values are read by the old one",
        where=BUS,
        caught=("wrongly_refused", "unfaithful", "lost"),
        mix={"evolved": 0.3},
        provoke=("schema",),
    ),
    "two_lanes": Plant(
        make=agency_bugs.two_lanes,
        title="one partition's records are applied in two lanes",
        where=_DESK,
        caught=("inverted",),
    ),
    "commits_unfinished": Plant(
        make=runtime_bugs.commit_what_was_fetched,
        title="the end of what was fetched is committed, not the end of what is finished",
        where=_DESK,
        caught=("lost", "committed_past"),
        provoke=("kill",),
    ),
    "marks_before_confirmed": Plant(
        make=agency_bugs.mark_first,
        title="outbox rows are noted as published before Kafka confirmed them",
        where="tax-hanam",
        caught=("lost",),
        provoke=("kill",),
    ),
    "sequence_reset": Plant(
        make=bus_bugs.number_anew,
        title="the numbers of copies begin anew with each transaction",
        where=BUS,
        caught=("sequence",),
    ),
    "never_released": Plant(
        make=bus_bugs.never_release,
        title="what waits for its cause is not released when it comes",
        where=BUS,
        caught=("never_released", "lost", "unaccounted"),
        mix={"crossed": 1.0, "parcels": 0.4},
    ),
    "release_before_block": Plant(
        make=bus_bugs.wait_for_nobody,
        title="an event does not wait for its cause: a release overtakes its block",
        where=BUS,
        caught=("inverted",),
        mix={"crossed": 1.0, "blocks": 0.4},
    ),
    "redaction_skipped": Plant(
        make=bus_bugs.show_everything,
        title="nothing is taken out of copies",
        where=BUS,
        caught=("unfaithful",),
    ),
    "conflict_accepted": Plant(
        make=bus_bugs.compare_ids_only,
        title="a known id with another value passes for a repeat",
        where=BUS,
        caught=("not_refused",),
        mix={"conflicts": 0.1},
    ),
    "finished_at_submission": Plant(
        make=runtime_bugs.finish_at_submission,
        title="a batch counts as finished when its records were handed over, not when they were confirmed",
        where=PROBE,
        caught=("lost", "committed_past"),
        provoke=("kill",),
    ),
    "transient_as_permanent": Plant(
        make=bus_bugs.give_up_at_once,
        title="a database that is away is a reason to refuse a record",
        where=BUS,
        caught=("wrongly_refused",),
        provoke=("connections",),
    ),
    "hole_guard_off": Plant(
        make=runtime_bugs.lose_fetches,
        title="a fetch is lost between client and agent, and nobody looks for holes",
        where=_DESK,
        caught=("lost", "committed_past"),
    ),
}
"""All planted bugs by name."""


def plant(bug: str) -> None:
    """Plant a bug in this process."""
    PLANTS[bug].make()
