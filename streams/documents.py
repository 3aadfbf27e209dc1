"""
Documents: invoices' original bytes, decisions, in a content-addressed store.

An event carries only a `DocumentRef` (hash, media type, size). The store is one port; a folder is its default.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from streams.errors import InputError

__all__ = ["MAX_DOCUMENT_BYTES", "MEDIA_TYPES", "DocumentRef", "DocumentStore", "check_sha256", "document_ref"]

MAX_DOCUMENT_BYTES = 20 * 1024 * 1024
"""A larger document is refused."""

MEDIA_TYPES = frozenset(
    {"application/json", "application/pdf", "application/pkcs7-mime", "application/xml", "image/jpeg", "image/png"}
)
"""What may be stored."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class DocumentRef:
    """
    A stored document, as the Avro record of the same name.

    Args:
        sha256: of the original bytes, 64 lower-case hexadecimal digits.
        media_type: one of `MEDIA_TYPES`.
        size_bytes: of the original.
    """

    sha256: str
    media_type: str
    size_bytes: int

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> DocumentRef:
        """Read the decoded Avro record."""
        return cls(sha256=data["sha256"], media_type=data["media_type"], size_bytes=data["size_bytes"])

    def as_data(self) -> dict[str, str | int]:
        """Give the Avro record's fields."""
        return {"sha256": self.sha256, "media_type": self.media_type, "size_bytes": self.size_bytes}


class DocumentStore(Protocol):
    """Where documents are kept. Whoever opens a store closes nothing: it holds no connection."""

    def put(self, content: bytes, *, media_type: str) -> DocumentRef:
        """
        Keep a document; durable when it returns. The same content again changes nothing.

        Raises:
            InputError: too large, empty, or of a type that is not taken.
            TransientError: the disk is full or away.
        """

    def get(self, sha256: str) -> bytes:
        """
        Give a document's original bytes, whose hash was checked again.

        Raises:
            InputError: no such document, or `sha256` is no hash.
            TransientError: the disk is away.
        """


def document_ref(content: bytes, *, media_type: str) -> DocumentRef:
    """
    Name a document by its content.

    Raises:
        InputError: too large, empty, or of a type that is not taken.
    """
    if not content:
        raise InputError("The document is empty: give a file with content.")
    if len(content) > MAX_DOCUMENT_BYTES:
        raise InputError(f"The document has {len(content)} bytes; at most {MAX_DOCUMENT_BYTES} are taken.")
    if media_type not in MEDIA_TYPES:
        raise InputError(f"'{media_type}' is not taken as a document; taken are {', '.join(sorted(MEDIA_TYPES))}.")
    return DocumentRef(sha256=hashlib.sha256(content).hexdigest(), media_type=media_type, size_bytes=len(content))


def check_sha256(text: str) -> str:
    """
    Check that a text is a SHA-256 in lower-case hexadecimal, before it becomes a file name.

    Raises:
        InputError: it is not.
    """
    if not _SHA256.fullmatch(text):
        raise InputError(f"'{text[:80]}' is no document hash: write 64 lower-case hexadecimal digits.")
    return text
