"""The event of docs/operations.md is one that `lienthong preview` would see admitted."""

from __future__ import annotations

from datetime import UTC, datetime

from docs_pages import DOCS, example

from streams.catalogue import load_catalogue
from streams.directory import load_directory
from streams.preview import preview, read_plain


def test_the_example_is_admitted() -> None:
    """With recipients of whom one does not see all of it."""
    event = read_plain(example(DOCS / "operations.md", "preview"))

    found = preview(event, load_catalogue(), load_directory(), at=datetime(2026, 11, 24, tzinfo=UTC))

    assert found.refusals == []
    assert {each.agency: each.removed for each in found.deliveries}["police-hanam"] == ("number",)
