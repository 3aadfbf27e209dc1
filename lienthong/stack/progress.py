"""How a long start tells a person what it is doing."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.console import Console
from rich.progress import Progress as RichBars
from rich.progress import SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

__all__ = ["PlainProgress", "Progress", "RichProgress", "SilentProgress", "progress_on"]


class Progress(Protocol):
    """
    Told what goes on, from several threads at once.

    Never blocks and never raises. `step` may come many times for one name, `done` comes at most once, after its last
    step; a name that failed gets no `done`.
    """

    def step(self, name: str, detail: str) -> None:
        """Say what is being done for `name` now."""

    def done(self, name: str) -> None:
        """Say that `name` is ready."""


class SilentProgress:
    """Says nothing."""

    def step(self, name: str, detail: str) -> None:
        """Say nothing."""

    def done(self, name: str) -> None:
        """Say nothing."""


class PlainProgress:
    """
    One line per step, for logs and CI; a step said twice is printed once.

    Args:
        stream: where lines go.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._last: dict[str, str] = {}
        self._started: dict[str, float] = {}

    def __enter__(self) -> Self:
        """Nothing to open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close."""

    def step(self, name: str, detail: str) -> None:
        """Print `name: detail`."""
        with self._lock:
            self._started.setdefault(name, time.monotonic())
            if self._last.get(name) != detail:
                self._last[name] = detail
                print(f"{name}: {detail}", file=self._stream, flush=True)

    def done(self, name: str) -> None:
        """Print that it is ready and how long it took."""
        with self._lock:
            seconds = time.monotonic() - self._started.get(name, time.monotonic())
            print(f"{name}: ready ({seconds:.1f} s)", file=self._stream, flush=True)


class RichProgress:
    """
    One moving line per name, for a terminal. A context manager: the lines move while it is open.

    Args:
        stream: the terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._bars = RichBars(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}"),
            TextColumn("[dim]{task.fields[detail]}"),
            TimeElapsedColumn(),
            console=Console(file=stream),
        )
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Start to draw."""
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Draw a last time and leave the terminal as it was."""
        self._bars.stop()

    def step(self, name: str, detail: str) -> None:
        """Show `detail` beside `name`."""
        self._bars.update(self._task(name), detail=detail)

    def done(self, name: str) -> None:
        """Tick `name` off."""
        self._bars.update(self._task(name), detail="ready", total=1, completed=1)

    def _task(self, name: str) -> TaskID:
        with self._lock:
            if name not in self._tasks:
                self._tasks[name] = self._bars.add_task(name, total=None, detail="")
            return self._tasks[name]


def progress_on(stream: TextIO = sys.stderr) -> PlainProgress | RichProgress:
    """The display that suits a stream: moving lines on a terminal, plain lines elsewhere. Use it with `with`."""
    return RichProgress(stream) if stream.isatty() else PlainProgress(stream)
