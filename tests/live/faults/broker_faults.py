"""Faults of brokers: killed, rolled, paused, full."""

from __future__ import annotations

import time
from random import Random

from cluster import Broker, until
from mounts import fill, free
from rig import Rig

from streams.names import inbox_topic

__all__ = [
    "fill_broker",
    "kill_all_brokers",
    "kill_controllers",
    "kill_leaders",
    "pause_leaders",
    "roll_brokers",
]

_LED = ("lt.einvoice.received", "lt.einvoice.anomaly_detected", "__consumer_offsets", "lt.inbox.qltt-hanam")
"""Topics whose leaders are hunted."""

_AWAY_SECONDS = 20.0
_ROUNDS = 5


def kill_leaders(rig: Rig, chance: Random) -> None:
    """SIGKILL to whoever leads a partition; started again after a while; five rounds, chasing the leader."""
    rounds = rig.scaled(_ROUNDS)
    rig.strikes.want("leaders killed", rounds)
    for number in range(rounds):
        rig.until_done((number + chance.random() / 2) / (rounds + 1))
        broker = rig.cluster.leader(chance.choice(_LED), chance.randrange(2))
        broker.kill()
        rig.strikes.note("leaders killed")
        rig.linger(_AWAY_SECONDS)
        rig.snapshot()
        _start(rig, broker)


def kill_controllers(rig: Rig, chance: Random) -> None:
    """SIGKILL to the active controller; another one must be elected."""
    rounds = rig.scaled(_ROUNDS)
    rig.strikes.want("controllers killed", rounds)
    for number in range(rounds):
        rig.until_done((number + chance.random() / 2) / (rounds + 1))
        broker = rig.cluster.controller()
        broker.kill()
        began = time.monotonic()
        until("another controller", lambda broker=broker: rig.cluster.controller() is not broker, seconds=60)
        rig.say(f"      another controller after {time.monotonic() - began:.1f} s")
        rig.strikes.note("controllers killed")
        rig.linger(_AWAY_SECONDS / 2)
        _start(rig, broker)


def roll_brokers(rig: Rig, chance: Random) -> None:
    """SIGTERM to each broker in turn, twice round; the next one when all replicas are in sync again."""
    rounds = rig.scaled(6)
    rig.strikes.want("clean restarts", rounds)
    for number in range(rounds):
        rig.until_done((number + chance.random() / 2) / (rounds + 1))
        broker = rig.cluster.brokers[number % 3]
        broker.stop()
        _start(rig, broker)
        rig.strikes.note("clean restarts")


def kill_all_brokers(rig: Rig, chance: Random) -> None:
    """SIGKILL to all brokers at once."""
    rounds = rig.scaled(2)
    rig.strikes.want("whole clusters killed", rounds)
    for number in range(rounds):
        rig.until_done((number + chance.random()) / (rounds + 1))
        for each in rig.cluster.brokers:
            each.kill()
        rig.strikes.note("whole clusters killed")
        rig.linger(5)
        began = time.monotonic()
        rig.cluster.start()
        rig.say(f"      the cluster answers {time.monotonic() - began:.1f} s after its start")
        rig.snapshot()


def pause_leaders(rig: Rig, chance: Random) -> None:
    """SIGSTOP to a leader for 5, 15 and 40 seconds: one that comes back after it was replaced must not accept."""
    pauses = (5.0, 15.0, 40.0)[: rig.scaled(3)]
    rig.strikes.want("leaders paused", len(pauses))
    rig.strikes.want("leaders replaced while paused", len([each for each in pauses if each > 12]))
    for number, seconds in enumerate(pauses):
        rig.until_done((number + chance.random() / 2) / (len(pauses) + 1))
        topic = "lt.einvoice.received"
        broker = rig.cluster.leader(topic)
        broker.pause()
        rig.strikes.note("leaders paused")
        time.sleep(seconds)
        if seconds > 12 and rig.cluster.leader(topic) is not broker:
            rig.strikes.note("leaders replaced while paused")
        broker.resume()
        until("all in sync", lambda: rig.cluster.in_sync(_checked()), seconds=120)
        rig.snapshot()


def fill_broker(rig: Rig, chance: Random) -> None:
    """One broker's disk is full: it gives up, the others go on, and it comes back when there is room."""
    rounds = rig.scaled(2)
    rig.strikes.want("ENOSPC in a broker's log", rounds)
    rig.strikes.want("brokers ended by a full disk", rounds)
    broker = rig.cluster.brokers[-1]
    for number in range(rounds):
        rig.until_done((number + chance.random() / 2) / (rounds + 1))
        fill(broker.log_folder)
        until("the broker gives up", lambda: not broker.runs, seconds=120)
        rig.strikes.note("brokers ended by a full disk")
        if "No space left on device" in broker.printed():
            rig.strikes.note("ENOSPC in a broker's log")
        rig.linger(_AWAY_SECONDS / 2)
        free(broker.log_folder)
        _start(rig, broker)


def _start(rig: Rig, broker: Broker) -> None:
    rig.cluster.start(broker)
    until("all in sync", lambda: rig.cluster.in_sync(_checked()), seconds=180, look_seconds=0.5)


def _checked() -> list[str]:
    return [*_LED, inbox_topic("bcd389-hanam")]  # type: ignore[arg-type] # an agency's code is a text
