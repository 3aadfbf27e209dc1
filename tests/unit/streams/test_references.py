"""What an event's fields refer to is found, and no field is looked into that cannot have it."""

from __future__ import annotations

from avro_strategies import data_of
from hypothesis import given
from hypothesis import strategies as st

from streams.catalogue import load_catalogue
from streams.names import EventType
from streams.references import documents_in, key_ids_in

CATALOGUE = load_catalogue()
TYPES = st.sampled_from(sorted(CATALOGUE.types))


@given(TYPES, st.data())
def test_a_types_fields_are_enough_to_look_into(event_type: EventType, draw: st.DataObject) -> None:
    """For any event of any type: the same keys and documents are found as by looking everywhere."""
    data, spec = draw.draw(data_of(CATALOGUE, event_type)), CATALOGUE[event_type]

    assert (key_ids_in(data), documents_in(data)) == (key_ids_in(data, spec), documents_in(data, spec))


def test_some_types_have_both() -> None:
    """Otherwise the test above would show nothing."""
    assert any(spec.sealed and spec.documents for spec in CATALOGUE.types.values())
