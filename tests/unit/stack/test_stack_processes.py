"""Knowing a process again."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from lienthong.stack.processes import Launch, ProcessRecord, adopt, launch, log_tail, read_record
from streams.errors import ConfigurationError


def test_a_process_is_known_again_from_its_file(tmp_path: Path) -> None:
    """Id, start and command line agree."""
    record = replace(ProcessRecord.of(psutil.Process()), address="localhost:1")
    record.write(tmp_path / "me.json")

    found = read_record(tmp_path / "me.json")

    assert found == record
    assert found is not None
    assert found.process() == psutil.Process()


def test_another_process_of_the_same_id_is_a_stranger() -> None:
    """One of the three that differs is enough."""
    record = ProcessRecord.of(psutil.Process())

    assert replace(record, started_after_boot_seconds=1.0).process() is None
    assert replace(record, argv=("other",)).process() is None
    assert replace(record, pid=2**22 + 1).process() is None


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"pid": 1}', "null"])
def test_a_broken_record_counts_as_none(tmp_path: Path, text: str) -> None:
    """A file that was cut off stops nobody."""
    (tmp_path / "x.json").write_text(text)

    assert read_record(tmp_path / "x.json") is None
    assert read_record(tmp_path / "absent.json") is None


def test_a_lost_process_is_found_by_its_command_line() -> None:
    """Only what the caller recognises is adopted."""
    name = uuid4().hex
    with subprocess.Popen(
        [sys.executable, "-c", "input()", name], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as lost:
        found = adopt(lambda argv: name in argv)
        assert found is not None
        assert found.pid == lost.pid
        assert adopt(lambda _argv: False) is None


def test_a_program_that_cannot_be_run_is_a_sentence(tmp_path: Path) -> None:
    """The system's reason is passed on."""
    job = Launch(argv=["/no/such/program"], env={}, cwd=tmp_path, log=tmp_path / "x.log")

    with pytest.raises(ConfigurationError, match=r"refused to start /no/such/program: .*No such file"):
        launch(job)


def test_the_last_complaint_is_quoted(tmp_path: Path) -> None:
    """Not the end of a stack trace, but the line that says what is wrong."""
    log = tmp_path / "x.log"
    log.write_text("INFO fine\n[2026] ERROR no room\n\tat java.base/x\n\t... 19 more\n")

    assert log_tail(log) == f"its log {log} says: [2026] ERROR no room"
    log.write_text("only this\n")
    assert log_tail(log).endswith("says: only this")
    assert log_tail(tmp_path / "none").endswith("is empty.")
