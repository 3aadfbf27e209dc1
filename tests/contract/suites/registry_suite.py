"""
What every `streams.registry.Registry` promises, once FULL_TRANSITIVE is set on it.

A subclass gives `registry`, and `subject`: a name that no other test of the session uses.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from streams.catalogue import fingerprint, load_catalogue
from streams.errors import ConfigurationError
from streams.names import EventType
from streams.registry import Registry


def schema(*fields: dict[str, Any], name: str = "Thing") -> str:
    """Make the text of a record's schema."""
    record = {"type": "record", "name": name, "namespace": "vn.lienthong.test", "doc": "Vật (thing).", "fields": fields}
    return json.dumps(record, ensure_ascii=False)


NUMBER = {"name": "number", "type": "string", "doc": "Số (number)."}
NOTE = {"name": "note", "type": ["null", "string"], "default": None, "doc": "Ghi chú (note)."}
PLACE = {"name": "place", "type": ["null", "string"], "default": None, "doc": "Nơi (place)."}


class RegistrySuite:
    """The suite."""

    def test_what_was_registered_is_found_again(self, registry: Registry, subject: str) -> None:
        """By subject and text, and by id; registering again gives the same id."""
        assert registry.lookup(subject, schema(NUMBER)) is None

        schema_id = registry.register(subject, schema(NUMBER))

        assert schema_id > 0
        assert schema_id == registry.lookup(subject, schema(NUMBER))
        assert schema_id == registry.register(subject, schema(NUMBER))
        held = registry.schema_text(schema_id)
        assert held is not None
        assert fingerprint(schema(NUMBER)) == fingerprint(held)
        assert registry.ids_of(subject) == [schema_id]

    def test_what_was_not_registered_is_not_found(self, registry: Registry, subject: str) -> None:
        """Neither an unknown subject, nor another schema of a known one, nor an unknown id."""
        registry.register(subject, schema(NUMBER))

        assert registry.lookup(f"{subject}-other", schema(NUMBER)) is None
        assert registry.lookup(subject, schema(NUMBER, NOTE)) is None
        assert registry.schema_text(2_000_000_000) is None
        assert registry.ids_of(f"{subject}-other") == []

    def test_an_optional_field_may_come_and_go(self, registry: Registry, subject: str) -> None:
        """Versions that differ in nullable fields with default null are all held, each under its own id."""
        texts = [schema(NUMBER), schema(NUMBER, NOTE), schema(NUMBER, PLACE)]

        ids = [registry.register(subject, text) for text in texts]

        assert len(set(ids)) == 3
        assert ids == [registry.lookup(subject, text) for text in texts]
        assert set(ids) == set(registry.ids_of(subject))

    @pytest.mark.parametrize(
        "changed",
        [
            schema({**NUMBER, "type": "long"}),
            schema(NUMBER, {"name": "needed", "type": "string", "doc": "Cần (needed)."}),
            schema(NOTE),
        ],
        ids=["type changed", "field without default added", "field without default removed"],
    )
    def test_an_incompatible_change_is_refused(self, registry: Registry, subject: str, changed: str) -> None:
        """It is refused with a code, and the subject holds what it held."""
        schema_id = registry.register(subject, schema(NUMBER))

        with pytest.raises(ConfigurationError) as caught:
            registry.register(subject, changed)

        assert caught.value.code == "incompatible_schema"
        assert registry.lookup(subject, changed) is None
        assert schema_id == registry.lookup(subject, schema(NUMBER))

    def test_every_version_counts_not_only_the_newest(self, registry: Registry, subject: str) -> None:
        """Compatibility is transitive: a field may not come back with another type."""
        registry.register(subject, schema(NUMBER, NOTE))
        registry.register(subject, schema(NUMBER))

        with pytest.raises(ConfigurationError):
            registry.register(subject, schema(NUMBER, {**NOTE, "type": ["null", "long"]}))

    def test_the_shipped_schemas_are_held_as_they_are(self, registry: Registry, subject: str) -> None:
        """The largest of our schemas, with its Vietnamese text, comes back with the same fingerprint."""
        spec = load_catalogue()[EventType("einvoice.received")]

        schema_id = registry.register(subject, spec.text)

        held = registry.schema_text(schema_id)
        assert held is not None
        assert spec.fingerprint == fingerprint(held)
        assert "mã số thuế" in held
