"""The crew: the workers of a run, started again when they end, as a supervisor would; killed and paused by the test."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cluster import until

__all__ = ["Crew", "Member"]

_MAIN = Path(__file__).with_name("crew_worker.py")
_RESTART_SECONDS = 0.5
_STOP_SECONDS = 90.0
_ASKED_SECONDS = 20.0


@dataclass(eq=False)
class Member:
    """
    One worker.

    Args:
        agency: whose.
        log: gets what it prints, of all its runs.
        process: the present run.
        wanted: it is started again when it ends.
        starts: how often it was started.
        codes: how its runs ended; a signal is a negative number.
        bug: a planted bug, from its next start on.
    """

    agency: str
    log: Path
    process: subprocess.Popen[bytes]
    wanted: bool = True
    starts: int = 1
    codes: list[int] = field(default_factory=list)
    bug: str = ""

    @property
    def runs(self) -> bool:
        """Whether it lives, paused or not."""
        return self.process.poll() is None

    def signal(self, number: signal.Signals) -> bool:
        """Send it a signal; False when it does not run."""
        with contextlib.suppress(ProcessLookupError):
            if self.runs:
                self.process.send_signal(number)
                return True
        return False

    def pause(self) -> None:
        """SIGSTOP."""
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self.signal(signal.SIGCONT)


class Crew:
    """
    The workers of a run.

    Args:
        data: the installation's folder.
        kit: the kit's own folder: logs, armed points.
        environment: settings that go before the installation's.
    """

    def __init__(self, data: Path, kit: Path, environment: Mapping[str, str]) -> None:
        self._data, self._kit = data, kit
        self._environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._supervise, name="crew", daemon=True)
        self.members: list[Member] = []
        self.kills = 0

    def __enter__(self) -> Self:
        """Begin to look after the members."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Kill everybody."""
        self._stop.set()
        self._thread.join()
        for each in self.members:
            each.signal(signal.SIGKILL)
            each.process.wait()

    def add(self, agency: str) -> Member:
        """Start one more worker of an agency."""
        with self._lock:
            number = sum(each.agency == agency for each in self.members) + 1
            log = self._kit / f"worker-{agency}-{number}.log"
            member = Member(agency, log, self._launch(agency, log, ""))
            self.members.append(member)
            return member

    def _launch(self, agency: str, log: Path, bug: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(_MAIN), agency, str(self._data), str(self._kit)]
        with log.open("ab") as output:
            return subprocess.Popen(
                [*command, bug] if bug else command,
                env=self._environment,
                cwd=self._kit,
                stdout=output,
                stderr=output,
            )

    def of(self, *agencies: str) -> list[Member]:
        """Give the members that are wanted, all or those of some agencies."""
        with self._lock:
            return [each for each in self.members if each.wanted and (not agencies or each.agency in agencies)]

    def kill(self, member: Member) -> bool:
        """SIGKILL; it is started again. False when it did not run just now."""
        if not member.signal(signal.SIGKILL):
            return False
        self.kills += 1
        return True

    def replant(self, agency: str, bug: str) -> None:
        """Stop an agency's workers and let them come back with a bug, or without one; wait until one is at work."""
        note = self._data / "run" / f"assigned-{agency}.json"
        for each in self.of(agency):
            each.bug = bug
            process = each.process
            each.signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_ASKED_SECONDS)
            if process.poll() is None:
                process.kill()
            note.unlink(missing_ok=True)
        until(f"{agency} at work with {bug or 'no bug'}", note.exists, seconds=_STOP_SECONDS)

    def drop(self, member: Member) -> None:
        """SIGKILL to a member that is not started again."""
        member.wanted = False
        if member.signal(signal.SIGKILL):
            self.kills += 1

    def dismiss(self, member: Member) -> None:
        """Ask a member to stop, and wait until it ended; it is not started again."""
        member.wanted = False
        member.signal(signal.SIGTERM)
        until(f"{member.agency} stopped", lambda: not member.runs, seconds=_STOP_SECONDS)

    def dismiss_all(self) -> list[int]:
        """Ask everybody to stop; give the exit codes."""
        present = self.of()
        for each in present:
            each.wanted = False
            each.signal(signal.SIGTERM)
        for each in present:
            until(f"{each.agency} stopped", lambda each=each: not each.runs, seconds=_STOP_SECONDS)
        return [each.process.returncode for each in present]

    def _supervise(self) -> None:
        while not self._stop.wait(_RESTART_SECONDS):
            with self._lock:
                for each in self.members:
                    if each.wanted and not each.runs:
                        each.codes.append(each.process.returncode)
                        each.starts += 1
                        each.process = self._launch(each.agency, each.log, each.bug)

    @property
    def endings(self) -> Mapping[int, int]:
        """Count how runs ended, by exit code; a signal is a negative number."""
        return Counter(code for each in self.members for code in each.codes)

    def said(self, words: str, *agencies: str) -> int:
        """Count the lines of the logs that hold some words."""
        logs = {each.log for each in self.members if not agencies or each.agency in agencies}
        return sum(line.count(words) for log in logs for line in _lines(log))


def _lines(log: Path) -> Sequence[str]:
    return log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else ()
