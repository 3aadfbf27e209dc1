"""A backup's own files: records as they were, and a manifest that finds every change."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.backup.files import copy_files, key_files, plain_files
from lienthong.backup.manifest import FORMAT, KeysManifest, files_in
from lienthong.backup.record_file import SavedRecord, read_records, writing_records
from lienthong.backup.restoring import restore_backup
from lienthong.backup.topics_back import without_holes
from lienthong.provision import Servers
from lienthong.stack import SilentProgress
from streams.errors import InputError

_texts = st.one_of(st.none(), st.binary(max_size=30))
_names = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
_records = st.builds(
    SavedRecord,
    offset=st.integers(0, 2**62),
    time_ms=st.integers(-1, 2**62),
    key=_texts,
    value=_texts,
    headers=st.one_of(st.none(), st.lists(st.tuples(_names, _texts), max_size=4)),
)


@settings(max_examples=60)
@given(records=st.lists(_records, max_size=5))
def test_what_was_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, records: list[SavedRecord]) -> None:
    """Absent is not empty, headers that could not be read are not no headers; the same records are the same file."""
    folder = tmp_path_factory.mktemp("records")
    for name in ("one", "two"):
        with writing_records(folder / name) as file:
            for each in records:
                file.write(each)

    assert records == list(read_records(folder / "one"))
    assert (folder / "one").read_bytes() == (folder / "two").read_bytes()


def test_another_file_holds_no_records(tmp_path: Path) -> None:
    """It says so in a sentence."""
    with writing_records(tmp_path / "records"):
        pass
    whole = (tmp_path / "records").read_bytes()

    assert list(read_records(tmp_path / "records")) == []
    assert whole.startswith(b"\x1f\x8b")


def record(offset: int) -> SavedRecord:
    """Make a record at an offset."""
    return SavedRecord(offset=offset, time_ms=offset * 10, key=b"k", value=b"v", headers=[])


def test_each_record_gets_its_offset_back() -> None:
    """Missing offsets, before, between and after, are taken by empty records."""
    filled = list(without_holes(iter([record(2), record(4)]), high=6))

    assert [each.offset for each in filled] == [0, 1, 2, 3, 4, 5]
    assert [each.offset for each in filled if each.value is not None] == [2, 4]
    assert list(without_holes(iter([]), high=0)) == []
    assert len(list(without_holes(iter([]), high=3))) == 3


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """A folder with two files and their manifest."""
    folder = tmp_path / "backup"
    (folder / "topics").mkdir(parents=True)
    (folder / "postgres.dump").write_bytes(b"dump")
    (folder / "topics" / "0.records").write_bytes(b"records")
    KeysManifest(format=FORMAT, backup_id="one", files=files_in(folder)).write(folder)
    return folder


def test_a_whole_backup_is_found_whole(backup: Path) -> None:
    """And its manifest is not one of its files."""
    manifest = KeysManifest.read(backup)

    manifest.check_files(backup)
    assert set(manifest.files) == {"postgres.dump", "topics/0.records"}


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _forget(folder: Path) -> None:
    """Leave a file out of the manifest and make its own digest fit nothing."""
    text = json.loads((folder / "manifest.json").read_text())
    del text["files"]["postgres.dump"]
    (folder / "manifest.json").write_text(json.dumps(text))


def _escape(folder: Path) -> None:
    KeysManifest(format=FORMAT, backup_id="one", files={"../x": files_in(folder)["postgres.dump"]}).write(folder)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a bit of the dump": lambda folder: _flip(folder / "postgres.dump"),
    "a bit of a topic": lambda folder: _flip(folder / "topics" / "0.records"),
    "a bit of the manifest": lambda folder: _flip(folder / "manifest.json"),
    "a longer file": lambda folder: (folder / "postgres.dump").write_bytes(b"dump and more"),
    "a missing file": lambda folder: (folder / "topics" / "0.records").unlink(),
    "no manifest": lambda folder: (folder / "manifest.json").unlink(),
    "an empty manifest": lambda folder: (folder / "manifest.json").write_text(""),
    "another manifest": lambda folder: (folder / "manifest.json").write_text("[]"),
    "a forgotten file": _forget,
    "a file outside": _escape,
    "a later form": lambda folder: KeysManifest(format=FORMAT + 1, backup_id="one", files={}).write(folder),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_backup_is_refused_before_anything_is_touched(
    backup: Path, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    """No server is started and no folder made."""
    damage(backup)

    with pytest.raises(InputError):
        KeysManifest.read(backup).check_files(backup)
    with pytest.raises(InputError):
        restore_backup(tmp_path / "data", _never, backup, None, progress=SilentProgress())
    assert not (tmp_path / "data").exists()


def _never() -> Servers:
    raise AssertionError("servers were started")


def test_keys_and_the_rest_lie_apart(tmp_path: Path) -> None:
    """What opens or signs is a key file; what is sealed or public is not; nothing else is taken; copies are private."""
    data = tmp_path / "data"
    keys = ["documents.key", "agencies/a/settings.toml", "agencies/a/officers/desk.pem"]
    plain = ["documents/ab/cd/x", "directory/a/desk.001.toml", "schema-ids.json", "agencies/a/outgoing/1.csv"]
    for name in [*keys, *plain, "stack.toml", "kafka/log/x", "run/x.json", "logs/x.log"]:
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(name)
    (data / "documents" / "link").symlink_to("/etc/passwd")

    assert sorted(keys) == [path.relative_to(data).as_posix() for path in key_files(data)]
    assert sorted(plain) == [path.relative_to(data).as_posix() for path in plain_files(data)]
    (tmp_path / "copy").mkdir()
    copy_files(key_files(data), source=data, target=tmp_path / "copy")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "copy").rglob("*") if path.is_file()}
    assert modes == {0o600}
