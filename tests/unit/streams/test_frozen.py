"""Frozen dataclasses that are quick to make: nothing but the speed differs from others."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, fields, replace

import pytest

from streams.frozen import quickly_made


@dataclass(frozen=True, slots=True)
class Usual:
    """As the standard library makes it."""

    name: str
    size: int = 1
    parts: tuple[str, ...] = ()


@quickly_made
@dataclass(frozen=True, slots=True)
class Quick:
    """The same, quicker."""

    name: str
    size: int = 1
    parts: tuple[str, ...] = ()


def test_it_is_made_as_any_dataclass() -> None:
    """By position, by name, with defaults."""
    for one, other in (
        (Usual("a"), Quick("a")),
        (Usual("a", 2, ("x",)), Quick("a", 2, ("x",))),
        (Usual(parts=("x",), name="a"), Quick(parts=("x",), name="a")),
    ):
        assert repr(one).removeprefix("Usual") == repr(other).removeprefix("Quick")
        assert type(other) is Quick
    assert [each.name for each in fields(Usual)] == [each.name for each in fields(Quick)]


def test_a_missing_or_unknown_argument_is_refused() -> None:
    """As in any call."""
    with pytest.raises(TypeError, match="name"):
        Quick()  # type: ignore[call-arg] # the case
    with pytest.raises(TypeError, match="colour"):
        Quick("a", colour=1)  # type: ignore[call-arg] # the case


def test_it_is_frozen() -> None:
    """No field is set, changed or deleted afterwards."""
    value = Quick("a")

    with pytest.raises(FrozenInstanceError):
        value.name = "b"  # type: ignore[misc] # the case
    with pytest.raises(FrozenInstanceError):
        del value.size  # type: ignore[misc] # the case
    with pytest.raises((AttributeError, TypeError)):
        value.other = 1  # type: ignore[attr-defined] # the case


def test_it_compares_hashes_and_copies_by_value() -> None:
    """Also through `replace` and pickle."""
    value = Quick("a", 2, ("x",))

    assert value == Quick("a", 2, ("x",)) == replace(Quick("b", 2, ("x",)), name="a")
    assert {value} == {Quick("a", 2, ("x",))}
    for again in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):  # noqa: S301 -- our own bytes
        assert (value, Quick) == (again, type(again))
