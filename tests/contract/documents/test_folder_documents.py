"""What the folder of documents adds to the suite of every store: rights, sealing, crashes and its key."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from connectors.folder_documents import FolderDocumentStore, load_or_make_key
from streams.errors import ConfigurationError, InputError, PermanentError, TransientError

KEY = bytes(range(32))
INVOICE = "<HDon>Hóa đơn điện tử</HDon>".encode()
INVOICE_SHA256 = hashlib.sha256(INVOICE).hexdigest()


def stored_file(folder: Path) -> Path:
    """Find the only file of a store."""
    [path] = [path for path in folder.rglob("*") if path.is_file()]
    return path


def kept(tmp_path: Path) -> tuple[FolderDocumentStore, Path]:
    """Make a store that holds the invoice."""
    store = FolderDocumentStore(tmp_path / "documents", KEY)
    store.put(INVOICE, media_type="application/xml")
    return store, stored_file(tmp_path / "documents")


def test_only_the_owner_may_read_files_and_folders(tmp_path: Path) -> None:
    """Files are 0600 and folders 0700, also where the folder stood open before."""
    (tmp_path / "documents").mkdir(mode=0o755)

    _, path = kept(tmp_path)

    assert path == tmp_path / "documents" / INVOICE_SHA256[:2] / INVOICE_SHA256[2:4] / INVOICE_SHA256
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (path.parent, path.parent.parent, tmp_path / "documents"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_file_is_sealed(tmp_path: Path) -> None:
    """Neither the content nor its media type stands in the file; twice the same gives other bytes."""
    _, path = kept(tmp_path)
    _, other = kept(tmp_path / "other")

    assert INVOICE[:12] not in path.read_bytes()
    assert b"application" not in path.read_bytes()
    assert path.read_bytes() != other.read_bytes()


def test_a_new_store_with_the_key_reads_what_another_wrote(tmp_path: Path) -> None:
    """Documents live longer than the process."""
    kept(tmp_path)

    assert FolderDocumentStore(tmp_path / "documents", KEY).get(INVOICE_SHA256) == INVOICE


def test_every_changed_byte_is_found_and_repaired_by_the_next_put(tmp_path: Path) -> None:
    """A flipped bit anywhere is never read as content; putting the original again mends what is tampered."""
    store, path = kept(tmp_path)
    sealed = path.read_bytes()

    for at in range(len(sealed)):
        path.write_bytes(sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :])
        with pytest.raises(PermanentError) as caught:
            store.get(INVOICE_SHA256)
        assert caught.value.code == ("document_key" if 4 <= at < 12 else "document_tampered")
    store.put(INVOICE, media_type="application/xml")

    assert store.get(INVOICE_SHA256) == INVOICE


@pytest.mark.parametrize("length", [0, 3, 4, 11, 12, 23, 24, 40])
def test_a_shortened_file_is_found(tmp_path: Path, length: int) -> None:
    """A file that was cut is never read as content."""
    store, path = kept(tmp_path)
    path.write_bytes(path.read_bytes()[:length])

    with pytest.raises(PermanentError):
        store.get(INVOICE_SHA256)


def test_a_file_under_another_name_does_not_open(tmp_path: Path) -> None:
    """The hash is bound into the seal, so exchanging two files is found."""
    store, path = kept(tmp_path)
    other = store.put(b"other", media_type="application/pdf")
    other_path = tmp_path / "documents" / other.sha256[:2] / other.sha256[2:4] / other.sha256
    other_path.write_bytes(path.read_bytes())

    with pytest.raises(PermanentError) as caught:
        store.get(other.sha256)

    assert caught.value.code == "document_tampered"


def test_another_key_is_named_and_overwrites_nothing(tmp_path: Path) -> None:
    """A store with the wrong key says so, and its put leaves the file to the holder of the right one."""
    store, _ = kept(tmp_path)
    stranger = FolderDocumentStore(tmp_path / "documents", bytes(32))

    for attempt in (
        lambda: stranger.get(INVOICE_SHA256),
        lambda: stranger.put(INVOICE, media_type="application/xml"),
    ):
        with pytest.raises(ConfigurationError):
            attempt()

    assert store.get(INVOICE_SHA256) == INVOICE


def test_a_link_in_place_of_a_document_is_not_followed(tmp_path: Path) -> None:
    """Whoever may write the folder cannot make the store read another file."""
    store, path = kept(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)

    with pytest.raises(TransientError):
        store.get(INVOICE_SHA256)


def test_a_crash_before_the_rename_leaves_nothing_readable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed process left is no document, holds no plain text, and does not hinder the next put."""
    store = FolderDocumentStore(tmp_path / "documents", KEY)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", _killed)
        patch.setattr(Path, "unlink", _killed)
        with pytest.raises(KeyboardInterrupt):
            store.put(INVOICE, media_type="application/xml")

    with pytest.raises(InputError):
        store.get(INVOICE_SHA256)
    assert INVOICE[:12] not in stored_file(tmp_path / "documents").read_bytes()
    store.put(INVOICE, media_type="application/xml")
    assert store.get(INVOICE_SHA256) == INVOICE


def _killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "disk_full"), (errno.EDQUOT, "disk_full"), (errno.EIO, "unavailable")]
)
def test_a_full_or_failing_disk_is_transient_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    """Nothing half written stays, and the caller knows to try again."""

    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number))

    store = FolderDocumentStore(tmp_path / "documents", KEY)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        (tmp_path / "documents" / INVOICE_SHA256[:2] / INVOICE_SHA256[2:4]).mkdir(parents=True)
        with pytest.raises(TransientError) as caught:
            store.put(INVOICE, media_type="application/xml")

    assert code == caught.value.code
    assert [path for path in (tmp_path / "documents").rglob("*") if path.is_file()] == []


def test_a_key_is_made_once_and_kept(tmp_path: Path) -> None:
    """The key has 32 bytes, belongs to its owner alone, and is the same the next time."""
    path = tmp_path / "keys" / "documents.key"

    key = load_or_make_key(path)

    assert len(key) == 32
    assert key == load_or_make_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [path] == list(path.parent.iterdir())


def test_processes_that_start_at_once_get_one_key(tmp_path: Path) -> None:
    """Whoever comes second reads what the first made."""
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(load_or_make_key, [tmp_path / "documents.key"] * 16))

    assert len(keys) == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.chmod(0o640),
        lambda path: path.chmod(0o604),
        lambda path: path.write_bytes(b"short"),
        lambda path: path.write_bytes(bytes(33)),
        lambda path: (path.rename(path.with_name("real")), path.symlink_to(path.with_name("real"))),
        lambda path: (path.unlink(), path.mkdir()),
    ],
    ids=["group", "others", "short", "long", "link", "folder"],
)
def test_an_unsafe_or_broken_key_file_is_refused(tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    """The program does not start with a key that others may know, or that is none."""
    path = tmp_path / "documents.key"
    load_or_make_key(path)
    spoil(path)

    with pytest.raises(ConfigurationError):
        load_or_make_key(path)


def test_a_key_of_another_length_is_refused(tmp_path: Path) -> None:
    """The store does not start with a weak key."""
    with pytest.raises(ConfigurationError):
        FolderDocumentStore(tmp_path, b"short")
