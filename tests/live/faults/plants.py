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
_TAX = "tax-hanam"


@dataclass(frozen=True)
class Plant:
    """
    One planted bug.

    Args:
        make: plants it in this process; says what it is.
        where: whose worker has it.
        caught: invariants of which at least one must be broken by it.
        mix: shares of the load that provoke it.
        killed: named points at which its worker is killed to bring it out; `anywhere` is a moment by chance.
        ended: connections of the bus to PostgreSQL are ended to bring it out.
        evolved: a newer schema is registered to bring it out.
        keys: tables whose primary keys are taken away while it is tried.
    """

    make: Callable[[], None]
    where: str
    caught: Sequence[str]
    mix: dict[str, float] = field(default_factory=dict)
    killed: Sequence[str] = ()
    ended: bool = False
    evolved: bool = False
    keys: Sequence[str] = ()


PLANTS: dict[str, Plant] = {
    "ack_before_commit": Plant(
        agency_bugs.acknowledge_first, _DESK, ("lost", "committed_past"), killed=["after_offset"]
    ),
    "no_inbox_key": Plant(
        agency_bugs.trust_every_record,
        _DESK,
        ("duplicated",),
        killed=["after_effect"],
        keys=("agency_bcd389_hanam.inbox",),
    ),
    "dedup_window": Plant(
        bus_bugs.forget_after_a_while,
        BUS,
        ("duplicated",),
        mix={"repeats": 0.2},
        keys=("bus.event", "bus.delivery"),
    ),
    "wrong_key": Plant(bus_bugs.key_by_event, BUS, ("wrong_partition",)),
    "signature_ignored": Plant(
        bus_bugs.ignore_signatures, BUS, ("not_refused",), mix={"blocks": 0.3, "strangers": 0.1}
    ),
    "grant_ignored": Plant(bus_bugs.ignore_grants, BUS, ("not_refused",), mix={"strangers": 0.1}),
    "quarantine_after_ack": Plant(
        bus_bugs.quarantine_later,
        BUS,
        ("not_refused", "unaccounted", "committed_past"),
        mix={"strangers": 0.2},
        killed=["anywhere"],
    ),
    "quarantine_dropped": Plant(bus_bugs.drop_quarantined, BUS, ("quarantine_dropped",), mix={"strangers": 0.1}),
    "audit_skipped_on_retry": Plant(bus_bugs.audit_first_try_only, BUS, ("audit",)),
    "stale_schema": Plant(
        bus_bugs.keep_old_schema,
        BUS,
        ("wrongly_refused", "unfaithful", "lost"),
        mix={"evolved": 0.3},
        evolved=True,
    ),
    "two_lanes": Plant(agency_bugs.two_lanes, _TAX, ("inverted",)),
    "commits_unfinished": Plant(
        runtime_bugs.commit_what_was_fetched, _DESK, ("lost", "committed_past"), killed=["after_offset"]
    ),
    "marks_before_confirmed": Plant(agency_bugs.mark_first, _TAX, ("lost",), killed=["after_mark"]),
    "sequence_reset": Plant(bus_bugs.number_anew, BUS, ("sequence",)),
    "never_released": Plant(
        bus_bugs.never_release,
        BUS,
        ("never_released", "lost", "unaccounted"),
        mix={"crossed": 1.0, "parcels": 0.4},
    ),
    "release_before_block": Plant(bus_bugs.wait_for_nobody, BUS, ("inverted",), mix={"crossed": 1.0, "blocks": 0.4}),
    "redaction_skipped": Plant(bus_bugs.show_everything, BUS, ("unfaithful",)),
    "conflict_accepted": Plant(bus_bugs.compare_ids_only, BUS, ("not_refused",), mix={"conflicts": 0.1}),
    "finished_at_submission": Plant(
        runtime_bugs.finish_at_submission, PROBE, ("lost", "committed_past"), killed=["after_offset"]
    ),
    "transient_as_permanent": Plant(bus_bugs.give_up_at_once, BUS, ("wrongly_refused",), ended=True),
    "hole_guard_off": Plant(runtime_bugs.lose_fetches, _DESK, ("lost", "committed_past")),
}
"""All planted bugs by name."""


def plant(bug: str) -> None:
    """Plant a bug in this process."""
    PLANTS[bug].make()
