"""Whatever the bytes are, reading them gives an outcome."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.einvoice import EinvoiceFile, file_report, read_content

NOW = datetime(2026, 3, 3, tzinfo=UTC)
Write = Callable[..., str]


def read(content: bytes) -> EinvoiceFile:
    """Read bytes, and check what is true of every file."""
    file = read_content(content, path=Path("a.xml"), received_at=NOW)
    report = file_report(file, outcome="published")
    assert report["outcome"] in {"published", "no_invoice", "refused"}
    assert bool(file.drafts) == (report["outcome"] == "published")
    assert file.drafts or file.reason
    return file


@given(st.binary(max_size=300))
def test_random_bytes_never_raise(content: bytes) -> None:
    """Bytes that are no XML are refused."""
    read(content)


@settings(max_examples=150)
@given(at=st.integers(0, 2_500), cut=st.integers(0, 20), put=st.binary(max_size=20))
def test_a_mutated_invoice_never_raises(invoice_xml: Write, at: int, cut: int, put: bytes) -> None:
    """One damaged place leaves an invoice, or a refusal."""
    content = invoice_xml().encode()

    read(content[:at] + put + content[at + cut :])


@settings(max_examples=150)
@given(
    value=st.text(
        st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="<>&\ufffe\uffff"), max_size=50
    ),
    field=st.sampled_from(["form", "series", "number", "date", "quantity", "price", "amount", "net", "total"]),
)
def test_any_value_in_any_field_leaves_an_invoice(invoice_xml: Write, value: str, field: str) -> None:
    """A value can cost its own field only; reading twice gives the same event."""
    content = invoice_xml(**{field: value}).encode()

    first, second = read(content), read(content)

    assert len(first.drafts) == 1
    assert [draft.event_id for draft in first.drafts] == [draft.event_id for draft in second.drafts]
