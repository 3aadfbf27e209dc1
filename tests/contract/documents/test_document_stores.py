"""What every document store promises."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.folder_documents import FolderDocumentStore
from streams.documents import MAX_DOCUMENT_BYTES, DocumentRef, DocumentStore
from streams.errors import InputError
from streams.testing.documents import MemoryDocumentStore

KEY = bytes(range(32))
INVOICE = "<HDon>Hóa đơn điện tử</HDon>".encode()
INVOICE_SHA256 = hashlib.sha256(INVOICE).hexdigest()


class DescribingStore(DocumentStore, Protocol):
    """A store that also says what it keeps."""

    def describe(self, sha256: str) -> DocumentRef:
        """Give a document's media type and size."""


class DocumentStoreContract:
    """The suite; a subclass gives `store`."""

    def test_what_was_put_is_given_back(self, store: DescribingStore) -> None:
        """The reference names the content, and the hash finds it."""
        ref = store.put(INVOICE, media_type="application/xml")

        assert DocumentRef(sha256=INVOICE_SHA256, media_type="application/xml", size_bytes=len(INVOICE)) == ref
        assert store.get(ref.sha256) == INVOICE
        assert ref == store.describe(ref.sha256)

    def test_the_same_content_twice_is_once(self, store: DescribingStore) -> None:
        """A repeat changes nothing, not even under another media type."""
        first = store.put(INVOICE, media_type="application/xml")

        again = store.put(INVOICE, media_type="application/pdf")

        assert first == again
        assert first == store.describe(first.sha256)
        assert store.get(first.sha256) == INVOICE

    def test_an_unknown_hash_is_an_input_error(self, store: DescribingStore) -> None:
        """A hash that names nothing is refused, for content and description alike."""
        for ask in (store.get, store.describe):
            with pytest.raises(InputError) as caught:
                ask("0" * 64)
            assert caught.value.code == "no_document"

    @pytest.mark.parametrize(
        "bad",
        [
            "",
            "abc",
            INVOICE_SHA256.upper(),
            INVOICE_SHA256 + "\n",
            INVOICE_SHA256 + "0",
            "g" * 64,
            "٠" * 64,
            "../" * 21 + "a",
            "/etc/passwd",
            "..",
            f"{INVOICE_SHA256[:2]}/{INVOICE_SHA256[2:4]}/{INVOICE_SHA256}",
            "..%2f..%2fetc%2fpasswd",
            "\x00" * 64,
            "C:\\windows\\win.ini",
        ],
    )
    def test_what_is_no_hash_never_becomes_a_path(self, store: DescribingStore, bad: str) -> None:
        """Anything but 64 lower-case hexadecimal digits is refused before it is looked for."""
        store.put(INVOICE, media_type="application/xml")

        for ask in (store.get, store.describe):
            with pytest.raises(InputError):
                ask(bad)

    @pytest.mark.parametrize(
        ("content", "media_type"),
        [
            (b"", "application/xml"),
            (b"MZ", "application/x-dosexec"),
            (b"x", ""),
            (b"x", "application/xml; charset=utf-8"),
            (b"x", "../../application/xml"),
        ],
    )
    def test_empty_content_and_other_types_are_refused(
        self, store: DescribingStore, content: bytes, media_type: str
    ) -> None:
        """A document has content and a type that is taken."""
        with pytest.raises(InputError):
            store.put(content, media_type=media_type)

    def test_too_large_is_refused(self, store: DescribingStore) -> None:
        """One byte more than the limit is refused."""
        with pytest.raises(InputError):
            store.put(bytes(MAX_DOCUMENT_BYTES + 1), media_type="application/pdf")

    def test_the_largest_is_taken(self, store: DescribingStore) -> None:
        """Exactly the limit is taken and given back."""
        ref = store.put(bytes(MAX_DOCUMENT_BYTES), media_type="application/pdf")

        assert len(store.get(ref.sha256)) == MAX_DOCUMENT_BYTES

    def test_concurrent_puts_all_hold(self, store: DescribingStore) -> None:
        """Several writers of the same and of other documents do not disturb each other."""
        contents = [f"document {number % 5}".encode() for number in range(40)]

        with ThreadPoolExecutor(8) as pool:
            refs = list(pool.map(lambda content: store.put(content, media_type="application/json"), contents))

        assert contents == [store.get(ref.sha256) for ref in refs]

    # One store for all examples and one suite for all stores is what is wanted here.
    @settings(
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
        max_examples=30,
        deadline=None,
    )
    @given(content=st.binary(min_size=1, max_size=3000))
    def test_any_bytes_come_back_equal(self, store: DescribingStore, content: bytes) -> None:
        """get(put(x)) is x."""
        assert content == store.get(store.put(content, media_type="application/pdf").sha256)


class TestMemoryDocumentStore(DocumentStoreContract):
    """The store in memory."""

    @pytest.fixture
    def store(self) -> DescribingStore:
        """Give an empty store."""
        return MemoryDocumentStore()


class TestFolderDocumentStore(DocumentStoreContract):
    """The store in a folder."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> DescribingStore:
        """Give an empty store."""
        return FolderDocumentStore(tmp_path / "documents", KEY)
