"""
The work that every contender does for one event, written as directly as a competent user would.

Read the CloudEvents headers, decode, enrich, derive the id, encode, write the headers. `transform` has attributes as
text, which is what Quix Streams and FastStream hand over; `enrich` takes and gives them as Kafka clients do. The bus's
own contender does the same through the shipped code, which also checks every attribute.
"""

from __future__ import annotations

import io
import json
import ssl
import struct
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fastavro

NAMESPACE = uuid.UUID("6f1c3a52-7d0e-5b0a-9c55-2f0d8f6f3c11")
SCHEMA = fastavro.parse_schema(json.loads((Path(__file__).parent / "event.avsc.json").read_text(encoding="utf-8")))
PREFIX = struct.pack(">bI", 0, 1)

Headers = list[tuple[str, bytes]]


def tls(address: dict[str, str]) -> ssl.SSLContext:
    """Give what a client on Python's own TLS needs for the benchmark's cluster."""
    context = ssl.create_default_context(cafile=address["ca_file"])
    context.load_cert_chain(address["key_file"])
    return context


def librdkafka(address: dict[str, str]) -> dict[str, str]:
    """Give what a client on librdkafka needs for it."""
    return {
        "bootstrap.servers": address["bootstrap"],
        "security.protocol": "SSL",
        "ssl.ca.location": address["ca_file"],
        "ssl.certificate.location": address["key_file"],
        "ssl.key.location": address["key_file"],
    }


def enrich(headers: Headers, value: bytes) -> tuple[bytes, Headers]:
    """Give the enriched event's value and headers."""
    content, attributes = transform({name: content.decode() for name, content in headers}, value)
    return content, [(name, text.encode()) for name, text in attributes.items()]


def transform(attributes: dict[str, str], value: bytes) -> tuple[bytes, dict[str, str]]:
    """Give the enriched event's value and attributes."""
    cause = uuid.UUID(attributes["ce_id"])
    buffer = io.BytesIO(value)
    buffer.seek(5)
    data: Any = fastavro.schemaless_reader(buffer, SCHEMA, None)
    data["message_en"] = f"{data['message_en']} Seen by {attributes['ce_source']}."
    event_id = uuid.uuid5(NAMESPACE, f"derived|{cause}|enrich|0")
    out = io.BytesIO(PREFIX)
    out.seek(5)
    fastavro.schemaless_writer(out, SCHEMA, data)
    return out.getvalue(), {
        "content-type": "application/avro",
        "ce_specversion": "1.0",
        "ce_id": str(event_id),
        "ce_source": "//lienthong/agency/qltt-hanam",
        "ce_type": attributes["ce_type"],
        "ce_time": datetime.now(UTC).isoformat(),
        "ce_subject": attributes["ce_subject"],
        "ce_subjectscheme": attributes["ce_subjectscheme"],
        "ce_correlationid": attributes["ce_correlationid"],
        "ce_causationid": str(cause),
        "ce_depth": str(int(attributes["ce_depth"]) + 1),
        "ce_purpose": attributes["ce_purpose"],
    }
