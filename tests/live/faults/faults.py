"""The catalogue of faults: what each one does to a run, and what proves that it struck."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from uuid import UUID

from broker_faults import (
    fill_broker,
    kill_all_brokers,
    kill_controllers,
    kill_leaders,
    pause_leaders,
    roll_brokers,
)
from history import APPLIED, Operation, read_history
from load import PROBE, Mix
from mounts import small_disk
from registry_faults import behind_proxy, trouble_registry
from rig import Rig
from store_faults import break_postgres, fill_postgres
from worker_faults import kill_workers, pause_workers, storm

from streams.names import BUS

__all__ = ["FAULTS", "Fault"]


def _nothing(rig: Rig, chance: Random) -> None:
    """The load itself is the fault."""
    del chance
    rig.until_done(0.5)
    rig.snapshot()


@dataclass(frozen=True, kw_only=True)
class Fault:
    """
    One fault.

    Args:
        name: as in the catalogue, for instance `F7`.
        title: what happens, in a line.
        strike: does it, while the load is published.
        brokers: one or three.
        mix: shares of the load that differ.
        crew: how many workers of each member.
        prepare: called before any server is started.
        loaded: what the load must hold, at least, as `expect` of its operations in a thousand.
        disordered: the load must hold numbers that are swapped, and effects before their causes.
        most_held_seconds: no partition of any worker may be held for longer, where that is asked.
        lasts_seconds: the load is published so slowly that it lasts at least so long; 0 where it need not last.
    """

    name: str
    title: str
    strike: Callable[[Rig, Random], None] = _nothing
    brokers: int = 1
    mix: dict[str, float] = field(default_factory=dict)
    crew: dict[str, int] = field(default_factory=dict)
    prepare: Callable[[Rig], contextlib.AbstractContextManager[None]] | None = None
    loaded: dict[str, int] = field(default_factory=dict)
    disordered: bool = False
    most_held_seconds: float | None = None
    lasts_seconds: float = 0.0

    def load(self, *, events: int, seed: int) -> Mix:
        """Give the load."""
        mix = Mix(events=events, seed=seed, **self.mix)  # type: ignore[arg-type] # shares are floats
        return replace(mix, rate=events / self.lasts_seconds) if self.lasts_seconds else mix

    def prove(self, rig: Rig) -> None:
        """Count, at the end, what the load held."""
        operations = [operation for operation, _ in read_history(rig.stage / "history.jsonl")]
        counts = Counter(operation.expect for operation in operations)
        if self.disordered:
            _prove_disorder(rig, operations)
        for what, thousandth in self.loaded.items():
            rig.strikes.want(f"{what} in the load", max(1, rig.mix.events * thousandth // 1000))
            rig.strikes.note(f"{what} in the load", counts[what])


def _prove_disorder(rig: Rig, operations: Sequence[Operation]) -> None:
    sent: set[UUID | None] = set()
    last: dict[str, int] = {}
    for each in operations:
        if each.cause is not None and each.cause not in sent:
            rig.strikes.note("effects before their causes in the load")
        sent.add(each.event_id)
        if each.expect == APPLIED and each.sequence is not None:
            if each.sequence < last.get(each.key, 0):
                rig.strikes.note("numbers swapped in the load")
            last[each.key] = each.sequence
    rig.strikes.want("effects before their causes in the load", rig.mix.events // 100)
    rig.strikes.want("numbers swapped in the load", rig.mix.events // 100)
    rig.strikes.want("events that waited for their causes", rig.mix.events // 200)
    rig.strikes.note("events that waited for their causes", rig.stores.rows("select count(*) from bus.parked")[0][0])


def _full_broker(rig: Rig) -> contextlib.AbstractContextManager[None]:
    return small_disk(rig.cluster.brokers[-1].log_folder, megabytes=700)


def _full_postgres(rig: Rig) -> contextlib.AbstractContextManager[None]:
    return small_disk(rig.stores.plan.postgres_folder, megabytes=1500)


_TWO = {BUS: 2, "tax-hanam": 2, "bcd389-hanam": 2, PROBE: 2}

FAULTS = {
    each.name: each
    for each in (
        Fault(name="F1", title="leaders of partitions killed", strike=kill_leaders, brokers=3),
        Fault(name="F2", title="active controllers killed", strike=kill_controllers, brokers=3),
        Fault(name="F3", title="brokers restarted one after the other", strike=roll_brokers, brokers=3),
        Fault(name="F4", title="all three brokers killed at once", strike=kill_all_brokers, brokers=3),
        Fault(name="F5", title="leaders paused, and back as zombies", strike=pause_leaders, brokers=3),
        Fault(name="F6", title="workers paused past their session", strike=pause_workers, crew=_TWO),
        Fault(name="F7", title="workers killed in mid-batch, at random and at named points", strike=kill_workers),
        Fault(name="F8", title="a storm of rebalances", strike=storm, lasts_seconds=65),
        Fault(name="F11", title="a broker's disk full", strike=fill_broker, brokers=3, prepare=_full_broker),
        Fault(name="F12", title="PostgreSQL's disk full", strike=fill_postgres, prepare=_full_postgres),
        Fault(
            name="F16",
            title="a registry that is slow, away, or lies",
            strike=trouble_registry,
            mix={"evolved": 0.05},
            prepare=behind_proxy,
        ),
        Fault(
            name="F17",
            title="PostgreSQL away, and at odds with everybody",
            strike=break_postgres,
            crew={BUS: 2},
            lasts_seconds=100,
        ),
        Fault(
            name="F18",
            title="one record in a hundred is poison",
            mix={"poison": 0.012, "strangers": 0.02},
            loaded={"not_framed": 2, "bad_envelope": 2, "unknown_schema": 1, "trailing_bytes": 1, "not_granted": 5},
            # So that a partition that stands still does so for a record's sake, and not behind a backlog.
            lasts_seconds=120,
            most_held_seconds=5.0,
        ),
        Fault(
            name="F19",
            title="one record in ten comes twice, some with another value",
            mix={"repeats": 0.11, "conflicts": 0.02},
            loaded={"repeat": 90, "conflicting_duplicate": 10},
        ),
        Fault(
            name="F20",
            title="numbers swapped and missing, effects before their causes",
            mix={"swapped": 0.06, "crossed": 0.3, "parcels": 0.3},
            crew={BUS: 2},
            disordered=True,
        ),
    )
}
"""All faults by name."""
