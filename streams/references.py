"""What an event's fields refer to, however deep it stands: keys of sealed values, documents."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from streams.catalogue import EventTypeSpec
from streams.documents import DocumentRef

__all__ = ["documents_in", "key_ids_in", "parts_of"]

_SEALED_FIELDS = frozenset({"key_id", "nonce", "ciphertext"})
_DOCUMENT_FIELDS = frozenset({"sha256", "media_type", "size_bytes"})
_LEAVES = frozenset({str, bytes, int, bool, type(None)})


def key_ids_in(data: Mapping[str, Any], spec: EventTypeSpec | None = None) -> frozenset[str]:
    """
    Name the keys under which anything in an event's fields is sealed.

    Args:
        data: the fields.
        spec: their type, where it is known: then only fields are looked into that may hold a sealed value.
    """
    return frozenset([each["key_id"] for each in _records(data, spec.sealed if spec else None, _SEALED_FIELDS)])


def documents_in(data: Mapping[str, Any], spec: EventTypeSpec | None = None) -> list[DocumentRef]:
    """
    Name the documents that an event's fields refer to.

    Args:
        data: the fields.
        spec: their type, as above.
    """
    return [DocumentRef.from_data(each) for each in _records(data, spec.documents if spec else None, _DOCUMENT_FIELDS)]


def parts_of(value: Any, kind: type) -> Iterator[Any]:
    """Give what is of a kind, however deep; it looks into mappings, lists and tuples."""
    if type(value) in _LEAVES:  # first, for asking whether something is a Mapping takes a while
        return
    if isinstance(value, kind):
        yield value
    if isinstance(value, Mapping):
        for each in value.values():
            yield from parts_of(each, kind)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from parts_of(each, kind)


def _records(data: Mapping[str, Any], chosen: Collection[str] | None, fields: frozenset[str]) -> list[Any]:
    """Give the records that have exactly these fields; `chosen` says where to look."""
    found = []
    for value in data.values() if chosen is None else [data.get(name) for name in chosen]:
        if type(value) is dict and value.keys() == fields:  # nearly always such a record itself
            found.append(value)
        elif value is not None:
            found += [each for each in parts_of(value, Mapping) if each.keys() == fields]
    return found
