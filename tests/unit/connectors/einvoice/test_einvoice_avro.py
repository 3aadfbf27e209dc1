"""Drafts fit the event type, field by field."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fastavro
import pytest
from fastavro.types import Schema

from connectors.einvoice import read_content
from streams.sealing import Personal

EVENTS = Path(__file__).parents[4] / "schemas" / "events"
NOW = datetime(2026, 3, 3, 4, 5, 6, 789012, tzinfo=UTC)
Write = Callable[..., str]


@pytest.fixture(scope="module")
def schema() -> Schema:
    """Give the parsed event type with the records that it shares."""
    named: dict[str, Any] = {}
    waiting = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((EVENTS / "types").glob("*.avsc"))]
    while waiting:
        record = waiting.pop(0)
        try:
            fastavro.parse_schema(record, named_schemas=named)
        except fastavro.schema.UnknownType:
            waiting.append(record)
    received = json.loads((EVENTS / "einvoice" / "received.v1.avsc").read_text(encoding="utf-8"))
    return fastavro.parse_schema(received, named_schemas=named)


def sealed(value: Any) -> Any:
    """Replace every personal value by a sealed record."""
    if isinstance(value, Personal):
        return {"key_id": "k", "nonce": b"n" * 12, "ciphertext": value.text.encode()}
    if isinstance(value, Mapping):
        return {name: sealed(part) for name, part in value.items()}
    return [sealed(part) for part in value] if isinstance(value, list) else value


@pytest.mark.parametrize("values", [{}, {"seller": "", "buyer": "", "date": "", "number": "", "net": "", "line": ""}])
def test_every_field_encodes_and_decodes(schema: Schema, invoice_xml: Write, values: dict[str, str]) -> None:
    """The draft has exactly the event type's fields, and they come back as they were."""
    free = "<TTin><TTruong>Mã vận đơn</TTruong><DLieu>EE123456785VN</DLieu></TTin>"
    xml = invoice_xml(free=free, **values)
    (draft,) = read_content(xml.encode(), path=Path("a.xml"), received_at=NOW).drafts
    data = sealed(draft.data)

    written = io.BytesIO()
    fastavro.schemaless_writer(written, schema, data, strict=True)
    written.seek(0)

    assert isinstance(schema, dict)
    assert {field["name"] for field in schema["fields"]} == draft.data.keys()
    assert data == fastavro.schemaless_reader(written, schema, None)
