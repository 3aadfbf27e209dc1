"""
The document store's default: a folder of files, each named by the hash of what it holds and sealed with one key.

A file is `LTD1`, the key's id (8 bytes), a nonce (12 bytes) and AES-256-GCM over a short header and the content, with
the content's hash as associated data: a file moved to another name does not open.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import json
import os
import stat
from pathlib import Path
from uuid import uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from streams.documents import MAX_DOCUMENT_BYTES, DocumentRef, check_sha256, document_ref
from streams.errors import ConfigurationError, InputError, PermanentError, TransientError

__all__ = ["FolderDocumentStore", "load_or_make_key"]

_MAGIC = b"LTD1"
_KEY_BYTES = 32
_KEY_ID_BYTES = 8
_NONCE_BYTES = 12
_HEADER_LENGTH_BYTES = 2
_MAX_SEALED_BYTES = MAX_DOCUMENT_BYTES + 4096
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OLD_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # never waits on a pipe of that name
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class FolderDocumentStore:
    """
    Keeps documents in `folder/ab/cd/<hash>`, mode 0600 in folders of mode 0700.

    Made by one process or by several at once: a file appears whole, under its last name, or not at all. A stored
    document whose bytes no longer open is repaired when the same content is put again.

    Args:
        folder: made at the first `put` when it is missing.
        key: 32 bytes, see `load_or_make_key`; without it the documents are lost.

    Raises:
        ConfigurationError: the key has another length.
    """

    def __init__(self, folder: Path, key: bytes) -> None:
        if len(key) != _KEY_BYTES:
            raise ConfigurationError(f"The key of the document store has {len(key)} bytes; {_KEY_BYTES} are needed.")
        self._folder = folder
        self._cipher = AESGCM(key)
        self._key_id = hmac.digest(key, b"lienthong document key", "sha256")[:_KEY_ID_BYTES]

    def put(self, content: bytes, *, media_type: str) -> DocumentRef:
        """
        Keep a document; durable when it returns. The same content again changes nothing, its first media type stays.

        Raises:
            InputError: too large, empty, or of a type that is not taken.
            ConfigurationError: the same document is there, sealed with another key.
            TransientError: the disk is full or away.
        """
        ref = document_ref(content, media_type=media_type)
        path = self._path(ref.sha256)
        try:
            kept = self._kept(ref.sha256)
            if kept is not None:
                _sync_folder(path.parent)
                return kept
            _make_folders(self._folder, path.parent)
            _write_whole(path, self._seal(ref, content))
        except OSError as error:
            raise _away(error) from error
        return ref

    def get(self, sha256: str) -> bytes:
        """
        Give a document's original bytes, whose hash was checked again.

        Raises:
            InputError: no such document, or `sha256` is no hash.
            ConfigurationError: it was sealed with another key.
            PermanentError: the file was changed (code `document_tampered`).
            TransientError: the disk is away.
        """
        return self._open(check_sha256(sha256))[1]

    def describe(self, sha256: str) -> DocumentRef:
        """
        Give a document's media type and size, as they were sealed with it; raises as `get` does.

        Raises:
            InputError: no such document, or `sha256` is no hash.
            ConfigurationError: it was sealed with another key.
            PermanentError: the file was changed (code `document_tampered`).
            TransientError: the disk is away.
        """
        return self._open(check_sha256(sha256))[0]

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256[2:4] / sha256

    def _kept(self, sha256: str) -> DocumentRef | None:
        """Describe a document that is there and opens; None for one that is missing or broken."""
        try:
            return self._open(sha256)[0]
        except ConfigurationError:
            raise  # writing over it would lose it for the holder of the right key
        except PermanentError:
            return None

    def _seal(self, ref: DocumentRef, content: bytes) -> bytes:
        header = json.dumps({"media_type": ref.media_type, "size_bytes": ref.size_bytes}).encode()
        nonce = os.urandom(_NONCE_BYTES)
        plain = len(header).to_bytes(_HEADER_LENGTH_BYTES, "big") + header + content
        sealed = self._cipher.encrypt(nonce, plain, bytes.fromhex(ref.sha256))
        return _MAGIC + self._key_id + nonce + sealed

    def _open(self, sha256: str) -> tuple[DocumentRef, bytes]:
        raw = _read_whole(self._path(sha256))
        if raw is None:
            raise InputError(f"There is no document {sha256}.", code="no_document")
        magic, key_id = raw[: len(_MAGIC)], raw[len(_MAGIC) : len(_MAGIC) + _KEY_ID_BYTES]
        body = raw[len(_MAGIC) + _KEY_ID_BYTES :]
        if magic == _MAGIC and len(key_id) == _KEY_ID_BYTES and key_id != self._key_id:
            raise ConfigurationError(
                f"Document {sha256} was sealed with another key: give the store the key it was written with.",
                code="document_key",
            )
        try:
            plain = self._cipher.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], bytes.fromhex(sha256))
        except (InvalidTag, ValueError) as error:
            raise _tampered(sha256) from error
        content_at = _HEADER_LENGTH_BYTES + int.from_bytes(plain[:_HEADER_LENGTH_BYTES], "big")
        content = plain[content_at:]
        if magic != _MAGIC or hashlib.sha256(content).hexdigest() != sha256:
            raise _tampered(sha256)
        return DocumentRef.from_data({"sha256": sha256, **json.loads(plain[_HEADER_LENGTH_BYTES:content_at])}), content


def load_or_make_key(path: Path) -> bytes:
    """
    Read the store's key, or make one of 32 random bytes, mode 0600; two processes that start at once get the same.

    Raises:
        ConfigurationError: others may read the file, it is no plain file, has another length, or cannot be made.
    """
    try:
        if not os.path.lexists(path):
            _make_key(path)
        with os.fdopen(os.open(path, _OLD_FILE), "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            key = file.read(_KEY_BYTES + 1) if stat.S_ISREG(mode) else b""
    except OSError as error:
        raise ConfigurationError(f"The document key {path} cannot be read or made: {error.strerror}.") from error
    if mode & 0o077:
        raise ConfigurationError(f"Others may read the document key {path}: run chmod 600 on it, and ask who did.")
    if len(key) != _KEY_BYTES:
        raise ConfigurationError(f"The document key {path} is no file of {_KEY_BYTES} bytes: put the right one back.")
    return key


def _make_key(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
    try:
        _write_new(temporary, os.urandom(_KEY_BYTES))
        os.link(temporary, path)  # unlike a rename, it never replaces a key that another process made meanwhile
        _sync_folder(path.parent)
    except FileExistsError:
        pass
    finally:
        temporary.unlink(missing_ok=True)


def _make_folders(top: Path, leaf: Path) -> None:
    top.mkdir(mode=0o700, parents=True, exist_ok=True)
    top.chmod(0o700)
    for folder in (leaf.parent, leaf):
        folder.mkdir(mode=0o700, exist_ok=True)
        _sync_folder(folder.parent)


def _write_whole(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{uuid4().hex}.tmp")
    try:
        _write_new(temporary, data)
        temporary.rename(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _write_new(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, _NEW_FILE, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _read_whole(path: Path) -> bytes | None:
    try:
        with os.fdopen(os.open(path, _OLD_FILE), "rb") as file:
            return file.read(_MAX_SEALED_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _away(error) from error


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _away(error: OSError) -> TransientError:
    if error.errno in _FULL:
        return TransientError("The disk of the document store is full: free some space.", code="disk_full")
    return TransientError(f"The document store cannot be used now: {error.strerror}.")


def _tampered(sha256: str) -> PermanentError:
    return PermanentError(
        f"Document {sha256} was changed on disk: put the original back, or its copy from a backup.",
        code="document_tampered",
    )
