"""The life of one supervised program, with a clock and processes that the test moves."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest

from lienthong.stack.supervised import Program, Supervised
from streams.errors import InputError


@dataclass
class FakeChild:
    """A process that ends when the test says so."""

    pid: int
    code: int | None = None
    signals: list[str] = field(default_factory=list)

    def poll(self) -> int | None:
        """Its exit code."""
        return self.code

    def ask(self) -> None:
        """Remember the request."""
        self.signals.append("TERM")

    def kill(self) -> None:
        """End at once."""
        self.signals.append("KILL")
        self.code = -9


class Starter:
    """Starts fake children and keeps them."""

    def __init__(self) -> None:
        self.children: list[FakeChild] = []
        self.programs: list[Program] = []
        self.broken = False
        self._pids = itertools.count(100)

    def __call__(self, program: Program) -> FakeChild:
        """Start one."""
        if self.broken:
            raise FileNotFoundError(program.argv[0])
        self.programs.append(program)
        self.children.append(FakeChild(next(self._pids)))
        return self.children[-1]


def _supervised() -> tuple[Supervised, Starter]:
    starter = Starter()
    return Supervised(Program("bus", ("/bin/bus",)), start=starter), starter


def test_an_ending_program_is_started_again_ever_later() -> None:
    """1, 2, 4 ... seconds, never more than 30."""
    worker, starter = _supervised()
    now, waits = 0.0, []
    for _ in range(8):
        worker.tick(now, wanted=True)
        starter.children[-1].code = 1
        worker.tick(now, wanted=True)
        waits.append(worker.next_try - now)
        now = worker.next_try

    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]
    assert worker.restarts == 7
    assert worker.last_exit == 1


def test_it_waits_until_its_time_has_come() -> None:
    """Between two tries nothing is started."""
    worker, starter = _supervised()
    worker.tick(0, wanted=True)
    starter.children[0].code = 1
    worker.tick(10, wanted=True)
    worker.tick(10.9, wanted=True)

    assert worker.state(held=False) == "waiting"
    assert len(starter.children) == 1

    worker.tick(11, wanted=True)

    assert worker.state(held=False) == "running"


def test_a_good_life_is_rewarded() -> None:
    """After 60 seconds of life the wait is short again."""
    worker, starter = _supervised()
    now = 0.0
    for _ in range(4):
        worker.tick(now, wanted=True)
        starter.children[-1].code = 1
        worker.tick(now, wanted=True)
        now = worker.next_try
    worker.tick(now, wanted=True)
    starter.children[-1].code = 1
    worker.tick(now + 60, wanted=True)

    assert worker.next_try - (now + 60) == 1


def test_a_program_that_cannot_be_started_is_tried_again() -> None:
    """A missing file counts as an end with code 127."""
    worker, starter = _supervised()
    starter.broken = True
    worker.tick(0, wanted=True)

    assert (worker.last_exit, worker.state(held=False), worker.next_try) == (127, "waiting", 1)

    starter.broken = False
    worker.tick(1, wanted=True)

    assert worker.state(held=False) == "running"


def test_an_unwanted_program_is_asked_once_then_killed() -> None:
    """SIGTERM, 15 seconds, SIGKILL."""
    worker, starter = _supervised()
    worker.tick(0, wanted=True)
    for now in (1, 2, 15.9):
        worker.tick(now, wanted=False)
    assert starter.children[0].signals == ["TERM"]

    worker.tick(16, wanted=False)
    worker.tick(16.1, wanted=False)

    assert starter.children[0].signals == ["TERM", "KILL"]
    assert worker.state(held=True) == "held"


def test_a_released_program_starts_at_once() -> None:
    """An end that was asked for is no fall: no wait, no restart counted."""
    worker, starter = _supervised()
    worker.tick(0, wanted=True)
    worker.tick(1, wanted=False)
    starter.children[0].code = 0
    worker.tick(2, wanted=False)
    worker.tick(2, wanted=True)

    assert worker.state(held=False) == "running"
    assert worker.restarts == 0


def test_a_replaced_program_ends_before_the_new_one_starts() -> None:
    """Never two of one name."""
    worker, starter = _supervised()
    worker.tick(0, wanted=True)
    new = Program("bus", ("/bin/bus", "--new"))
    worker.replace(new)
    worker.tick(1, wanted=True)
    assert starter.children[0].signals == ["TERM"]
    assert len(starter.children) == 1

    starter.children[0].code = 0
    worker.tick(2, wanted=True)

    assert starter.programs[-1] == new
    assert starter.children[1].signals == []


def test_the_same_program_again_changes_nothing() -> None:
    """A second `up` leaves workers alone."""
    worker, starter = _supervised()
    worker.tick(0, wanted=True)
    worker.replace(Program("bus", ("/bin/bus",)))
    worker.tick(1, wanted=True)

    assert starter.children[0].signals == []


@pytest.mark.parametrize("name", ["", "../x", "Bus", "a/b", "a" * 64])
def test_a_name_that_is_no_file_name_is_refused(name: str) -> None:
    """It becomes part of a path."""
    with pytest.raises(InputError, match="is no name for a program"):
        Program(name, ("/bin/true",))


def test_a_program_survives_its_file() -> None:
    """What the supervisor reads is what the command wrote."""
    program = Program("tax-hanam", ("/bin/x", "--a"), {"A": "b"})

    assert Program.from_json(program.as_json()) == program
