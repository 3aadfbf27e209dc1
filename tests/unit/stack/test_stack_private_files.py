"""Files that only their owner may read."""

from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from lienthong.stack.private_files import (
    explain_full_disk,
    locked,
    make_private_folder,
    require_free_space,
    write_private,
)
from streams.errors import ConfigurationError


def test_folders_and_files_are_private(tmp_path: Path) -> None:
    """0700 and 0600, whatever the umask."""
    old = os.umask(0)
    try:
        folder = make_private_folder(tmp_path / "run")
        write_private(folder / "secret", "x")
    finally:
        os.umask(old)

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "secret").stat().st_mode) == 0o600


def test_a_file_in_the_way_is_a_sentence(tmp_path: Path) -> None:
    """The data folder cannot be a file."""
    (tmp_path / "data").write_text("")

    with pytest.raises(ConfigurationError, match="cannot be made"):
        make_private_folder(tmp_path / "data" / "run")


def test_a_failed_write_leaves_the_old_text(tmp_path: Path) -> None:
    """A reader never sees a part, and no temporary file stays."""
    path = tmp_path / "state"
    write_private(path, "old")

    with pytest.raises(UnicodeEncodeError):
        write_private(path, "\udc80")

    assert path.read_text() == "old"
    assert [path] == list(tmp_path.iterdir())


def test_a_held_lock_is_waited_for_and_said(tmp_path: Path) -> None:
    """The second holder is told that it waits, and goes on when the first is done."""
    waiting, entered = threading.Event(), threading.Event()

    def second() -> None:
        with locked(tmp_path / "lock", when_waiting=waiting.set):
            entered.set()

    thread = threading.Thread(target=second, daemon=True)
    with locked(tmp_path / "lock"):
        thread.start()
        assert waiting.wait(5)
        assert not entered.is_set()
    thread.join(5)

    assert entered.is_set()


def test_a_nearly_full_disk_is_refused(tmp_path: Path) -> None:
    """One sentence names the folder and the setting."""
    with pytest.raises(ConfigurationError, match=r"MB are free at .*not/yet.*set LIENTHONG_DATA") as caught:
        require_free_space(tmp_path / "not" / "yet", setting="LIENTHONG_DATA", needed_bytes=1 << 62)

    assert caught.value.code == "disk_full"


def test_a_full_disk_is_explained(tmp_path: Path) -> None:
    """The system's own error becomes a sentence; other errors pass."""
    with pytest.raises(ConfigurationError, match="is full: free some space"), explain_full_disk(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(PermissionError), explain_full_disk(tmp_path):
        raise PermissionError(errno.EACCES, "no")
