"""For how long a partition is held, by looks at what is committed and where it ends."""

from __future__ import annotations

from watch import Hold


def looked(*looks: tuple[float, int, int]) -> float:
    """Look some times (seconds, committed, end); give the longest hold."""
    hold = Hold()
    for now, committed, end in looks:
        hold.look(committed, end, now=now)
    return hold.most_seconds


def test_a_partition_without_lag_is_not_held() -> None:
    """However long nothing comes."""
    assert looked((0, 5, 5), (60, 5, 5), (120, 5, 5)) == 0


def test_a_partition_is_held_while_nothing_is_committed_and_something_is_to_come() -> None:
    """From the look that saw both to the one that saw it move."""
    assert looked((0, 5, 5), (10, 5, 9), (12, 5, 9), (14, 6, 9)) == 4


def test_each_commit_begins_a_new_hold() -> None:
    """A partition that is far behind and goes on is not held."""
    assert looked((0, 0, 99), (1, 10, 99), (2, 20, 99), (3, 30, 99)) == 1


def test_a_partition_that_is_never_read_is_held_to_the_last_look() -> None:
    """A group that has committed nothing stands at the beginning."""
    assert looked((0, 0, 1), (30, 0, 1), (70, 0, 1)) == 70
