"""One supervised program: when it is started, started again, asked to end and made to end; no clock and no process."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from streams.errors import InputError

__all__ = ["Child", "Program", "Supervised", "SupervisedState", "describe_exit"]

FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 30.0
GOOD_LIFE_SECONDS = 60.0
END_TIMEOUT_SECONDS = 15.0

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")

SupervisedState = Literal["running", "waiting", "stopped", "held"]
"""What a program is doing, as `workers.json` says it."""


@dataclass(frozen=True)
class Program:
    """
    A program to keep running.

    Args:
        name: its name in status and in its log's file name: lower case letters, digits, dot, dash, underscore.
        argv: program and arguments; it is started in the data folder, so paths are absolute.
        env: added to the environment of the command that started the supervisor.

    Raises:
        InputError: no such name, or nothing to run.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the name: it becomes part of a path."""
        if not NAME.fullmatch(self.name):
            raise InputError(
                f"{self.name!r} is no name for a program: use lower case letters, digits, dots and dashes."
            )
        if not self.argv:
            raise InputError(f"The program {self.name} has no command.")

    def as_json(self) -> dict[str, Any]:
        """The program as the supervisor's file keeps it."""
        return {"name": self.name, "argv": list(self.argv), "env": dict(self.env)}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Program:
        """Read what `as_json` wrote."""
        return cls(name=raw["name"], argv=tuple(raw["argv"]), env=dict(raw["env"]))


class Child(Protocol):
    """A process that was started for a program; whoever waits for it here is its parent."""

    @property
    def pid(self) -> int:
        """Its id."""

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs. Never blocks."""

    def ask(self) -> None:
        """Send SIGTERM; nothing happens if it has ended."""

    def kill(self) -> None:
        """Send SIGKILL to it and to what it started; nothing happens if it has ended."""


def describe_exit(code: int) -> str:
    """
    An exit code in words.

    >>> describe_exit(-9), describe_exit(1)
    ('was killed by SIGKILL', 'ended with code 1')
    """
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


class Supervised:
    """
    The life of one program under supervision. Moments are seconds of a clock that only goes forward.

    Args:
        program: what to run.
        start: starts it; an OSError counts as an end with code 127.
    """

    def __init__(self, program: Program, *, start: Callable[[Program], Child]) -> None:
        self.program = program
        self.child: Child | None = None
        self.restarts = 0
        self.last_exit: int | None = None
        self.next_try = 0.0
        self._start = start
        self._delay = FIRST_DELAY_SECONDS
        self._started_at = 0.0
        self._asked_at: float | None = None
        self._replaced = False
        self._fell = False

    def replace(self, program: Program) -> None:
        """Run another command under the same name; the old one is ended first. The same command changes nothing."""
        if program != self.program:
            self.program = program
            self._replaced = self.child is not None
            self._delay = FIRST_DELAY_SECONDS

    def state(self, *, held: bool) -> SupervisedState:
        """What it is doing now."""
        if self.child is not None:
            return "running"
        return "held" if held else "waiting"

    def tick(self, now: float, *, wanted: bool) -> None:
        """
        Do what is due. Called often; never blocks.

        Args:
            now: the moment.
            wanted: whether the program should run.
        """
        if self.child is not None and (code := self.child.poll()) is not None:
            self._ended(code, now)
        if self.child is not None and (not wanted or self._replaced):
            self._end(self.child, now)
        elif self.child is None and wanted and now >= self.next_try:
            self._begin(now)

    def _begin(self, now: float) -> None:
        # Ends that were asked for are no restarts: the number tells how often it fell.
        self.restarts += self._fell
        self._started_at = now
        try:
            self.child = self._start(self.program)
        except OSError:
            self._ended(127, now)

    def _end(self, child: Child, now: float) -> None:
        if self._asked_at is None:
            self._asked_at = now
            child.ask()
        elif now - self._asked_at >= END_TIMEOUT_SECONDS:
            child.kill()

    def _ended(self, code: int, now: float) -> None:
        self.child = None
        self.last_exit = code
        self._fell = self._asked_at is None
        if self._asked_at is not None:
            # It ended because we asked: no reason to wait before the next start.
            self._delay, self.next_try = FIRST_DELAY_SECONDS, now
        else:
            if now - self._started_at >= GOOD_LIFE_SECONDS:
                self._delay = FIRST_DELAY_SECONDS
            self.next_try = now + self._delay
            self._delay = min(self._delay * 2, LONGEST_DELAY_SECONDS)
        self._asked_at = None
        self._replaced = False
