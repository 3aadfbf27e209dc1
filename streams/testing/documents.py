"""The document store in memory: it passes the same suite as the folder, and keeps nothing."""

from __future__ import annotations

from streams.documents import DocumentRef, check_sha256, document_ref
from streams.errors import InputError

__all__ = ["MemoryDocumentStore"]


class MemoryDocumentStore:
    """Keeps documents as long as it lives."""

    def __init__(self) -> None:
        self._documents: dict[str, tuple[DocumentRef, bytes]] = {}

    def put(self, content: bytes, *, media_type: str) -> DocumentRef:
        """
        Keep a document. The same content again changes nothing, its first media type stays.

        Raises:
            InputError: too large, empty, or of a type that is not taken.
        """
        ref = document_ref(content, media_type=media_type)
        return self._documents.setdefault(ref.sha256, (ref, bytes(content)))[0]

    def get(self, sha256: str) -> bytes:
        """
        Give a document's original bytes.

        Raises:
            InputError: no such document, or `sha256` is no hash.
        """
        return self._find(sha256)[1]

    def describe(self, sha256: str) -> DocumentRef:
        """
        Give a document's media type and size.

        Raises:
            InputError: no such document, or `sha256` is no hash.
        """
        return self._find(sha256)[0]

    def _find(self, sha256: str) -> tuple[DocumentRef, bytes]:
        found = self._documents.get(check_sha256(sha256))
        if found is None:
            raise InputError(f"There is no document {sha256}.", code="no_document")
        return found
