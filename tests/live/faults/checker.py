"""
The checker: from what was sent, what is on the topics and what took effect, say what was lost, doubled or turned round.

Pure: it opens nothing. Every finding has the name of the invariant that it breaks; a run without findings is a good one
only if its fault struck, which the rig checks.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from history import APPLIED, REPEAT
from observation import BUS_PLACE, Copy, Observation, Place, Seen

__all__ = ["Found", "Verdict", "check"]

_SHOWN = 8
"""Examples of one broken invariant."""


@dataclass(frozen=True, slots=True)
class Found:
    """One broken invariant: its name, and what broke it."""

    invariant: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """
    What the checker says.

    Args:
        n: acknowledged operations.
        events: events that took effect, those that agencies derived included.
        lost: acknowledged or derived, expected to be applied, and not applied somewhere.
        duplicated: effects beyond the first.
        inverted: effects in another order than their records, or before their cause.
        recovered: of unknown outcome, and applied.
        refused: quarantined by the bus.
        slowest_seconds: longest acknowledgement.
        found: everything that is wrong.
    """

    n: int
    events: int
    lost: int
    duplicated: int
    inverted: int
    recovered: int
    refused: int
    slowest_seconds: float
    found: Sequence[Found]

    @property
    def good(self) -> bool:
        """Nothing is wrong."""
        return not self.found

    @property
    def broken(self) -> Mapping[str, int]:
        """How often each invariant was broken."""
        return Counter(each.invariant for each in self.found)

    def explain(self) -> str:
        """Name what is wrong, a few of each kind."""
        shown: dict[str, list[str]] = defaultdict(list)
        for each in self.found:
            if len(shown[each.invariant]) < _SHOWN:
                shown[each.invariant].append(each.what)
        return "\n".join(
            f"{name} ({self.broken[name]}): " + "; ".join(examples) for name, examples in sorted(shown.items())
        )


class _Facts:
    """What several checks look up."""

    def __init__(self, run: Observation) -> None:
        self.run = run
        self.first: dict[UUID, Seen] = {}
        for each in sorted(run.seen, key=lambda seen: seen.place):
            if each.event_id is not None:
                self.first.setdefault(each.event_id, each)
        self.applied: dict[str, Counter[UUID]] = defaultdict(Counter)
        for each in run.effects:
            self.applied[each.where][each.event_id] += 1
        self.refused = {(each.where, each.place): each for each in run.refused}

    def recipients(self, seen: Seen) -> Sequence[str]:
        """Give who must receive a record's event."""
        return self.run.recipients.get(seen.event_type, ())


def check(run: Observation) -> Verdict:
    """Check every invariant."""
    facts = _Facts(run)
    found: list[Found] = []
    for each in (_lost, _refusals, _unexpected, _duplicated, _inverted, _accounted, _copies, _audit, _commits, _left):
        found += each(facts)
    names = Counter(each.invariant for each in found)
    acknowledged = [operation for operation, outcome in run.history if outcome.phase == "ok"]
    recovered = [
        operation
        for operation, outcome in run.history
        if outcome.phase == "info" and operation.event_id in facts.applied[BUS_PLACE]
    ]
    return Verdict(
        n=len(acknowledged),
        events=len(facts.applied[BUS_PLACE]),
        lost=names["lost"],
        duplicated=names["duplicated"],
        inverted=names["inverted"],
        recovered=len(recovered),
        refused=len({each.place for each in run.refused if each.where == BUS_PLACE}),
        slowest_seconds=max((outcome.seconds for _, outcome in run.history), default=0.0),
        found=found,
    )


def _wanted(facts: _Facts) -> Iterator[tuple[UUID, str]]:
    """Give every event that must take effect, and why."""
    for operation, outcome in facts.run.history:
        if operation.expect == APPLIED and operation.event_id is not None:
            if outcome.phase == "ok":
                yield operation.event_id, "acknowledged"
            if outcome.phase == "ok" or operation.event_id in facts.applied[BUS_PLACE]:
                for each in operation.derives:
                    yield each, f"derived from {operation.event_id}"


def _lost(facts: _Facts) -> Iterator[Found]:
    """Whatever was acknowledged, or must have been derived, is in the ledger and in the inbox of each recipient."""
    for event_id, why in _wanted(facts):
        seen = facts.first.get(event_id)
        if seen is None:
            yield Found("lost", f"{event_id} ({why}) is on no topic")
            continue
        for where in (BUS_PLACE, *facts.recipients(seen)):
            if event_id not in facts.applied[where]:
                yield Found("lost", f"{event_id} ({why}, {seen.event_type} at {seen.place}) not at {where}")


def _refusals(facts: _Facts) -> Iterator[Found]:
    """What must be refused is in quarantine under its code and nowhere else; nothing else is."""
    expected: dict[Place, str] = {}
    for operation, outcome in facts.run.history:
        if operation.expect not in {APPLIED, REPEAT} and outcome.phase == "ok":
            expected[operation.topic, int(outcome.partition or 0), int(outcome.offset or 0)] = operation.expect
    for place, reason in expected.items():
        item = facts.refused.get((BUS_PLACE, place))
        if item is None:
            yield Found("not_refused", f"{place} should be in quarantine ({reason})")
        elif item.reason != reason:
            yield Found("other_reason", f"{place} was refused for {item.reason}, not {reason}")
    unknown = {operation.event_id for operation, outcome in facts.run.history if outcome.phase != "ok"}
    ids = {each.place: each.event_id for each in facts.run.seen}
    for item in facts.run.refused:
        if item.where != BUS_PLACE or (item.place not in expected and ids.get(item.place) not in unknown):
            yield Found("wrongly_refused", f"{item.place} at {item.where}: {item.reason}")
        if not item.published:
            yield Found("quarantine_dropped", f"{item.place} at {item.where} is not on the quarantine topic")


def _unexpected(facts: _Facts) -> Iterator[Found]:
    """Nothing took effect that nobody sent, and nothing at an agency that is no recipient."""
    sent = {operation.event_id for operation, _ in facts.run.history if operation.expect in {APPLIED, REPEAT}}
    sent |= {each for operation, _ in facts.run.history for each in operation.derives}
    for where, ids in facts.applied.items():
        for event_id in ids:
            seen = facts.first.get(event_id)
            if event_id not in sent or seen is None:
                yield Found("unexpected", f"{event_id} at {where}")
            elif where != BUS_PLACE and where not in facts.recipients(seen):
                yield Found("unexpected", f"{event_id} ({seen.event_type}) at {where}")


def _duplicated(facts: _Facts) -> Iterator[Found]:
    """Each effect once."""
    for where, ids in facts.applied.items():
        for event_id, times in ids.items():
            for _ in range(times - 1):
                yield Found("duplicated", f"{event_id} at {where}")
    for (where, place), times in Counter((each.where, each.place) for each in facts.run.refused).items():
        for _ in range(times - 1):
            yield Found("duplicated", f"quarantine of {place} at {where}")


def _inverted(facts: _Facts) -> Iterator[Found]:
    """Under one key, effects come in the order of the records; never before their cause."""
    causes = {operation.event_id: operation.cause for operation, _ in facts.run.history if operation.cause}
    for operation, _ in facts.run.history:
        causes |= dict.fromkeys(operation.derives, operation.event_id)
    last: dict[tuple[str, str, str], int] = {}
    done: dict[str, set[UUID]] = defaultdict(set)
    for effect in sorted(facts.run.effects, key=lambda each: each.number):
        seen = facts.first.get(effect.event_id)
        if seen is None:
            continue
        cause = causes.get(effect.event_id)
        if cause is not None and cause in facts.applied[effect.where] and cause not in done[effect.where]:
            yield Found("inverted", f"{effect.event_id} before its cause {cause} at {effect.where}")
        done[effect.where].add(effect.event_id)
        lane = (effect.where, seen.place[0], seen.key)
        if seen.place[2] < last.get(lane, -1):
            yield Found("inverted", f"{seen.place} after offset {last[lane]} at {effect.where} (key {seen.key})")
        last[lane] = max(last.get(lane, -1), seen.place[2])


def _accounted(facts: _Facts) -> Iterator[Found]:
    """Every record of an event topic was admitted, is a repeat of one that was, or is in quarantine; never two."""
    for seen in facts.run.seen:
        admitted = seen.event_id in facts.applied[BUS_PLACE]
        refused = (BUS_PLACE, seen.place) in facts.refused
        if not admitted and not refused:
            yield Found("unaccounted", f"{seen.place} is neither in the ledger nor in quarantine")
        if admitted and refused and seen.event_id is not None and facts.first[seen.event_id].place == seen.place:
            yield Found("unaccounted", f"{seen.place} is in the ledger and in quarantine")


def _copies(facts: _Facts) -> Iterator[Found]:
    """A copy shows what its recipient may see; repeats are equal; one subject lies in one partition."""
    for agency, copies in facts.run.copies.items():
        contents: dict[UUID, Copy] = {}
        partitions: dict[str, int] = {}
        for each in sorted(copies, key=lambda copy: copy.place):
            if not each.faithful:
                yield Found("unfaithful", f"{each.event_id} at {agency} shows something else than it may")
            if each.key != each.subject or partitions.setdefault(each.key, each.place[1]) != each.place[1]:
                yield Found("wrong_partition", f"{each.event_id} at {agency}: key {each.key} at {each.place}")
            known = contents.setdefault(each.event_id, each)
            if known.content != each.content:
                yield Found("copies_differ", f"{each.event_id} at {agency}: {known.place} and {each.place}")
        yield from _numbers(facts, agency, contents.values())


def _numbers(facts: _Facts, agency: str, copies: Iterable[Copy]) -> Iterator[Found]:
    """
    A recipient's copies about one subject are numbered from 1 without gaps, in order where they are of one type.

    Across types two workers may hand them over in another order than they numbered them: the cause is what orders.
    """
    numbers: dict[str, list[int]] = defaultdict(list)
    last: dict[tuple[str, str], int] = defaultdict(int)
    for each in copies:
        if each.sequence is None:
            continue
        numbers[each.subject].append(each.sequence)
        seen = facts.first.get(each.event_id)
        lane = (each.subject, seen.event_type if seen else "")
        if each.sequence <= last[lane]:
            yield Found("sequence", f"{each.subject} at {agency}: {each.sequence} after {last[lane]}")
        last[lane] = each.sequence
    for subject, found in numbers.items():
        if sorted(found) != list(range(1, len(found) + 1)):
            yield Found("sequence", f"{subject} at {agency}: {len(found)} copies and numbers up to {max(found)}")


def _audit(facts: _Facts) -> Iterator[Found]:
    """One admission and one delivery for each recipient are in the audit log, and on its topic."""
    audited = Counter(facts.run.audited)
    for event_id in facts.applied[BUS_PLACE]:
        seen = facts.first.get(event_id)
        for recipient in (None, *(facts.recipients(seen) if seen else ())):
            if audited[event_id, recipient] != 1:
                yield Found("audit", f"{event_id} for {recipient or 'its admission'}: {audited[event_id, recipient]}")
    for _ in range(facts.run.audit_unpublished):
        yield Found("audit", "a row is not on the audit topic")


def _commits(facts: _Facts) -> Iterator[Found]:
    """No committed offset was ever past a record without a durable effect."""
    by_partition: dict[tuple[str, int], list[tuple[int, UUID | None]]] = defaultdict(list)
    copies = [copy for each in facts.run.copies.values() for copy in each]
    for each in (*facts.run.seen, *copies):
        topic, partition, offset = each.place
        by_partition[topic, partition].append((offset, each.event_id))
    for snapshot in facts.run.snapshots:
        effect_of = facts.run.stateless.get(snapshot.reader, _itself)
        for (topic, partition), committed in snapshot.committed.items():
            for offset, event_id in by_partition[topic, partition]:
                wanted = None if event_id is None else effect_of(event_id)
                none = event_id is not None and wanted is None  # a stateless worker makes nothing of it
                done = none or wanted in snapshot.known or (topic, partition, offset) in snapshot.refused
                if offset < committed and not done:
                    yield Found("committed_past", f"{snapshot.reader} committed {committed} past {topic} {offset}")


def _itself(event_id: UUID) -> UUID:
    return event_id


def _left(facts: _Facts) -> Iterable[Found]:
    """At the end every group has read everything, and nothing waits."""
    for event_id in facts.run.waiting:
        yield Found("never_released", f"{event_id} is still parked")
    latest = {snapshot.reader: snapshot for snapshot in facts.run.snapshots}
    for reader, snapshot in latest.items():
        for place, end in facts.run.ends.items():
            if place in snapshot.committed and snapshot.committed[place] != end:
                yield Found("lag", f"{reader} stands at {snapshot.committed[place]} of {end} on {place}")
