"""The checker can see each thing that it is there to see, and sees nothing where nothing is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest
from checker import check
from history import APPLIED, History, Operation, Outcome, read_history
from observation import BUS_PLACE, Copy, Effect, Observation, Refused, Seen, Snapshot

TOPIC, INBOX = "lt.a.b", "lt.inbox.desk"
FIRST, SECOND, BAD = (UUID(int=each) for each in (1, 2, 3))


def _run() -> Observation:
    """Two events under one key, the second caused by the first, and one that was refused; all as it should be."""
    history = [
        (Operation(number=1, event_id=FIRST, topic=TOPIC, key="k", sequence=1), Outcome("ok", 0, 0, 0.1)),
        (Operation(number=2, event_id=SECOND, topic=TOPIC, key="k", cause=FIRST), Outcome("ok", 0, 1, 0.1)),
        (Operation(number=3, event_id=BAD, topic=TOPIC, key="k", expect="not_granted"), Outcome("ok", 0, 2, 0.1)),
    ]
    ids = (FIRST, SECOND, BAD)
    return Observation(
        history=history,
        seen=[Seen((TOPIC, 0, offset), event_id, "k", "a.b") for offset, event_id in enumerate(ids)],
        recipients={"a.b": ["desk"]},
        copies={
            "desk": [
                Copy((INBOX, 1, offset), event_id, "k", "k", offset + 1, b"same", faithful=True)
                for offset, event_id in enumerate((FIRST, SECOND))
            ]
        },
        effects=[
            Effect(1, BUS_PLACE, FIRST),
            Effect(2, BUS_PLACE, SECOND),
            Effect(3, "desk", FIRST),
            Effect(4, "desk", SECOND),
        ],
        refused=[Refused(BUS_PLACE, (TOPIC, 0, 2), "not_granted", published=True)],
        audited=[(each, recipient) for each in (FIRST, SECOND) for recipient in (None, "desk")],
        snapshots=[Snapshot(BUS_PLACE, {(TOPIC, 0): 3}, frozenset({FIRST, SECOND}), frozenset({(TOPIC, 0, 2)}))],
        ends={(TOPIC, 0): 3, (INBOX, 1): 2},
    )


def test_a_run_in_which_all_is_well_has_no_findings() -> None:
    """Its counts are those of the history."""
    verdict = check(_run())

    assert not verdict.found
    assert (verdict.n, verdict.events, verdict.refused, verdict.lost) == (3, 2, 1, 0)


def _without_effect(run: Observation) -> None:
    run.effects = [each for each in run.effects if each.number != 4]


def _twice(run: Observation) -> None:
    run.effects = [*run.effects, Effect(5, "desk", FIRST)]


def _turned_round(run: Observation) -> None:
    run.history = [(replace(operation, cause=None), outcome) for operation, outcome in run.history]
    run.effects = [*run.effects[:2], Effect(3, "desk", SECOND), Effect(4, "desk", FIRST)]


def _turned_round_with_a_cause(run: Observation) -> None:
    """What both name as their cause came before them, so that only their own order is wrong."""
    cause = UUID(int=7)
    run.history = [(replace(operation, cause=cause), outcome) for operation, outcome in run.history]
    run.effects = [*run.effects[:2], Effect(3, "desk", SECOND), Effect(4, "desk", FIRST)]


def _before_its_cause(run: Observation) -> None:
    run.seen = [replace(each, key=str(each.place[2])) for each in run.seen]
    run.effects = [*run.effects[:2], Effect(3, "desk", SECOND), Effect(4, "desk", FIRST)]


def _nobody_sent(run: Observation) -> None:
    run.effects = [*run.effects, Effect(5, "desk", UUID(int=9))]


def _at_a_stranger(run: Observation) -> None:
    run.effects = [*run.effects, Effect(5, "stranger", FIRST)]


def _let_pass(run: Observation) -> None:
    run.refused, run.effects = [], [*run.effects, Effect(5, BUS_PLACE, BAD)]


def _for_another_reason(run: Observation) -> None:
    run.refused = [replace(run.refused[0], reason="bad_envelope")]


def _refused_for_nothing(run: Observation) -> None:
    run.refused = [*run.refused, Refused(BUS_PLACE, (TOPIC, 0, 1), "bad_envelope", published=True)]


def _refused_by_an_agency(run: Observation) -> None:
    run.refused = [*run.refused, Refused("desk", (INBOX, 1, 1), "loop", published=True)]


def _quarantine_dropped(run: Observation) -> None:
    run.refused = [replace(run.refused[0], published=False)]


def _on_no_list(run: Observation) -> None:
    run.seen = [*run.seen, Seen((TOPIC, 0, 3), UUID(int=8), "k", "a.b")]


def _shows_too_much(run: Observation) -> None:
    run.copies = {"desk": [replace(each, faithful=False) for each in run.copies["desk"]]}


def _copies_differ(run: Observation) -> None:
    first = run.copies["desk"][0]
    run.copies = {"desk": [*run.copies["desk"], replace(first, place=(INBOX, 1, 2), content=b"other")]}


def _in_two_partitions(run: Observation) -> None:
    first, second = run.copies["desk"]
    run.copies = {"desk": [replace(first, place=(INBOX, 0, 0)), second]}


def _with_a_gap(run: Observation) -> None:
    first, second = run.copies["desk"]
    run.copies = {"desk": [first, replace(second, sequence=3)]}


def _not_audited(run: Observation) -> None:
    run.audited = run.audited[:-1]


def _audit_not_published(run: Observation) -> None:
    run.audit_unpublished = 1


def _committed_past(run: Observation) -> None:
    (whole,) = run.snapshots
    run.snapshots = [replace(whole, committed={(TOPIC, 0): 2}, known=frozenset({FIRST})), whole]


def _stands_still(run: Observation) -> None:
    (whole,) = run.snapshots
    run.snapshots = [replace(whole, committed={(TOPIC, 0): 2})]


def _still_parked(run: Observation) -> None:
    run.waiting = [SECOND]


BROKEN: dict[Callable[[Observation], None], str] = {
    _without_effect: "lost",
    _twice: "duplicated",
    _turned_round: "inverted",
    _before_its_cause: "inverted",
    _turned_round_with_a_cause: "inverted",
    _nobody_sent: "unexpected",
    _at_a_stranger: "unexpected",
    _let_pass: "not_refused",
    _for_another_reason: "other_reason",
    _refused_for_nothing: "wrongly_refused",
    _refused_by_an_agency: "wrongly_refused",
    _quarantine_dropped: "quarantine_dropped",
    _on_no_list: "unaccounted",
    _shows_too_much: "unfaithful",
    _copies_differ: "copies_differ",
    _in_two_partitions: "wrong_partition",
    _with_a_gap: "sequence",
    _not_audited: "audit",
    _audit_not_published: "audit",
    _committed_past: "committed_past",
    _stands_still: "lag",
    _still_parked: "never_released",
}
"""What is done to a good run, and the invariant that must be named."""


@pytest.mark.parametrize("spoil", BROKEN, ids=lambda spoil: spoil.__name__.strip("_"))
def test_the_checker_names_what_is_broken(spoil: Callable[[Observation], None]) -> None:
    """Each invariant is broken once, and is found by its name."""
    run = _run()

    spoil(run)

    assert BROKEN[spoil] in check(run).broken


def test_what_may_have_been_written_may_be_missing_or_applied() -> None:
    """An operation of unknown outcome is lost to nobody, and recovered where it took effect."""
    run = _run()
    run.history = [(operation, replace(outcome, phase="info")) for operation, outcome in run.history]
    applied = check(run)
    run.seen, run.effects, run.copies, run.refused, run.audited, run.snapshots = [], [], {}, [], [], []

    assert (applied.recovered, applied.lost) == (2, 0)
    assert not check(run).found


def test_a_history_that_breaks_off_is_read_to_its_end(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What was invoked and never ended may have been written."""
    path = tmp_path_factory.mktemp("history") / "history.jsonl"
    history = History(path)
    first = Operation(number=1, event_id=FIRST, topic=TOPIC, key="k", derives=(SECOND,))
    history.invoke(first)
    history.end(1, "ok", partition=1, offset=7)
    history.invoke(replace(first, number=2, event_id=None, expect="not_granted", cause=FIRST))
    history.close()

    (one, ended), (two, unknown) = read_history(path)

    assert (one, one.expect, ended.phase, ended.partition, ended.offset) == (first, APPLIED, "ok", 1, 7)
    assert (two.event_id, two.expect, two.cause, unknown.phase) == (None, "not_granted", FIRST, "info")
