"""
What the house asks of every Avro schema before anything is decoded by it.

Bytes are decoded as their schema says, so a bad schema is as dangerous as bad bytes: a recursive one ends the process
on a message of 5 KB, and one whose records use each other twice makes gigabytes of a message without a byte. Checked
are the shipped schemas, what provisioning registers, and what a worker learns from the registry.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from streams.errors import ConfigurationError

__all__ = ["MAX_FIELDS", "MAX_NESTING", "MAX_SCHEMA_BYTES", "check_schema", "read_schema"]

MAX_SCHEMA_BYTES = 65_536
"""A longer schema is not read."""

MAX_NESTING = 16
"""Records, arrays, maps and unions within each other."""

MAX_FIELDS = 500
"""Fields in all, those of a record counted as often as it is used."""

_MAX_SYMBOLS = 200
_MAX_NAME = 64
_MAX_SPACE = 128
_MAX_DOC = 1_000
_MAX_PRECISION = 38
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SPACE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")

_PRIMITIVES = frozenset({"boolean", "int", "long", "bytes", "string"})
"""
The types that `streams.avro_writer` and `streams.avro_reader` know.

Each value takes a byte at least; null takes none and is a union's only, as five bytes could say that a list has
millions of them.
"""

_LOGICAL = {"decimal": "bytes", "uuid": "string", "timestamp-micros": "long", "date": "int"}
"""The logical types that are used, and what each one is a form of."""


@dataclass(frozen=True, slots=True)
class _Size:
    """What a type can become: its nesting, its fields with those of everything in it."""

    nesting: int = 0
    fields: int = 0


@dataclass
class _Walk:
    named: dict[str, _Size] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)


def read_schema(text: str) -> dict[str, Any]:
    """
    Read a schema's text and check it.

    Raises:
        ConfigurationError: code `bad_schema`; it is too long, no JSON, or breaks a rule.
    """
    if len(text) > MAX_SCHEMA_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_SCHEMA_BYTES:
        raise _bad("", f"the text has more than {MAX_SCHEMA_BYTES} bytes: split the type in two")
    try:
        schema = json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise _bad("", f"this is no JSON that every reader understands alike ({type(error).__name__})") from error
    check_schema(schema)
    return dict(schema)


def check_schema(schema: Any) -> None:
    """
    Check a schema.

    Args:
        schema: JSON values; every named type is written out where it is first met.

    Raises:
        ConfigurationError: code `bad_schema`; it breaks a rule, and the message says where and what to do.
    """
    if not isinstance(schema, Mapping) or schema.get("type") != "record":
        raise _bad("", "an event is a record: write an object with type, name and fields")
    _type(schema, _Walk(), space="", path=str(schema.get("name", "")), level=0)


def _type(schema: Any, walk: _Walk, *, space: str, path: str, level: int) -> _Size:
    if level > MAX_NESTING:
        raise _bad(path, f"it nests deeper than {MAX_NESTING}: flatten it")
    if isinstance(schema, str):
        return _reference(schema, walk, space=space, path=path, level=level)
    if isinstance(schema, list):
        return _union(schema, walk, space=space, path=path, level=level)
    if not isinstance(schema, Mapping):
        raise _bad(path, "a type is a name, a union or an object")
    kind = schema.get("type")
    if not isinstance(kind, str):
        raise _bad(path, "`type` within a type is a name")
    if "logicalType" in schema:
        return _logical(schema, path=path)
    if kind in _KINDS:
        return _KINDS[kind](schema, walk, space, path, level)
    _bounded(schema, path)
    if kind not in _PRIMITIVES:
        known = ", ".join(sorted({*_PRIMITIVES, *_KINDS}))
        raise _bad(path, f"{kind[:_MAX_NAME]} is none of {known}, and a type defined before is referred to by its name")
    return _Size()


def _reference(name: str, walk: _Walk, *, space: str, path: str, level: int) -> _Size:
    if name in _PRIMITIVES:
        return _Size()
    full = name if "." in name else f"{space}.{name}"
    if full in walk.open:
        raise _bad(path, f"{name[:_MAX_NAME]} holds itself: a recursive type has no bound; refer to it by an id")
    if full not in walk.named:
        known = ", ".join(sorted(_PRIMITIVES))
        raise _bad(path, f"{name[:_MAX_NAME]} is no type here: define it before it is used, or take one of {known}")
    size = walk.named[full]
    if level + size.nesting > MAX_NESTING:
        raise _bad(path, f"it nests deeper than {MAX_NESTING}: flatten it")
    return size


def _union(branches: Sequence[Any], walk: _Walk, *, space: str, path: str, level: int) -> _Size:
    if len(branches) != 2 or branches[0] != "null" or branches[1] == "null" or isinstance(branches[1], list):  # noqa: PLR2004 -- null and one other
        raise _bad(path, 'a union is ["null", one other type]')
    inner = _type(branches[1], walk, space=space, path=path, level=level + 1)
    return _Size(nesting=inner.nesting + 1, fields=inner.fields)


def _record(schema: Mapping[str, Any], walk: _Walk, space: str, path: str, level: int) -> _Size:
    full, space = _define(schema, walk, space, path)
    fields = schema.get("fields")
    if not isinstance(fields, list) or not fields:
        raise _bad(path, "a record has a list of fields, one at least: a list of empty records could be without end")
    if len(fields) > MAX_FIELDS:
        raise _bad(path, f"it has more than {MAX_FIELDS} fields in all: split the type in two")
    walk.open.add(full)
    names: set[str] = set()
    nesting = count = 0
    for each in fields:
        name = _field_name(each, names, path)
        size = _type(each["type"], walk, space=space, path=f"{path}.{name}", level=level + 1)
        nesting, count = max(nesting, size.nesting), count + 1 + size.fields
        if count > MAX_FIELDS:
            raise _bad(path, f"it has more than {MAX_FIELDS} fields in all: split the type in two")
    walk.open.discard(full)
    walk.named[full] = _Size(nesting=nesting + 1, fields=count)
    return walk.named[full]


def _field_name(each: Any, names: set[str], path: str) -> str:
    if not isinstance(each, Mapping) or "type" not in each:
        raise _bad(path, "a field is an object with name and type")
    name = _short_name(each.get("name"), path)
    if name in names:
        raise _bad(path, f"it has two fields {name}: name them apart")
    names.add(name)
    _bounded(each, path)
    if "default" in each and (each["default"] is not None or not isinstance(each["type"], list)):
        raise _bad(path, 'only an optional field has a default, and it is null: take ["null", the type]')
    return name


def _enum(schema: Mapping[str, Any], walk: _Walk, space: str, path: str, _level: int) -> _Size:
    full, _ = _define(schema, walk, space, path)
    symbols = schema.get("symbols")
    if not isinstance(symbols, list) or not 0 < len(symbols) <= _MAX_SYMBOLS:
        raise _bad(path, f"an enum has 1 to {_MAX_SYMBOLS} symbols: take a string for more")
    if len({_short_name(each, path) for each in symbols}) != len(symbols):
        raise _bad(path, "an enum names each symbol once")
    if schema.get("default", symbols[0]) not in symbols:
        raise _bad(path, "an enum's default is one of its symbols")
    walk.named[full] = _Size()
    return walk.named[full]


def _items(key: str) -> Callable[[Mapping[str, Any], _Walk, str, str, int], _Size]:
    def check(schema: Mapping[str, Any], walk: _Walk, space: str, path: str, level: int) -> _Size:
        _bounded(schema, path)
        if key not in schema:
            raise _bad(path, f"{key} is missing")
        inner = _type(schema[key], walk, space=space, path=f"{path}[]", level=level + 1)
        return _Size(nesting=inner.nesting + 1, fields=inner.fields)

    return check


def _logical(schema: Mapping[str, Any], *, path: str) -> _Size:
    _bounded(schema, path)
    logical = schema["logicalType"]
    if not isinstance(logical, str) or _LOGICAL.get(logical) != schema["type"]:
        known = ", ".join(f"{name} of {kind}" for name, kind in _LOGICAL.items())
        raise _bad(path, f"this logical type is none of {known}")
    if logical == "decimal":
        precision, scale = (_whole(schema.get(each)) for each in ("precision", "scale"))
        if not 0 < precision <= _MAX_PRECISION or not 0 <= scale <= precision:
            raise _bad(path, f"a decimal states precision, 1 to {_MAX_PRECISION}, and scale, 0 to precision")
    return _Size()


def _whole(number: Any) -> int:
    return number if type(number) is int else -1  # True is no number here


def _define(schema: Mapping[str, Any], walk: _Walk, space: str, path: str) -> tuple[str, str]:
    """Check a named type's names; give its full name, and the name space of what is in it."""
    name, space = _short_name(schema.get("name"), path), schema.get("namespace", space)
    if not isinstance(space, str) or len(space) > _MAX_SPACE or (space and not _SPACE.fullmatch(space)):
        raise _bad(path, f"a name space is names joined by dots, at most {_MAX_SPACE} characters")
    full = f"{space}.{name}"
    if full in walk.named or full in walk.open or name in _PRIMITIVES or name in _KINDS:
        raise _bad(path, f"{name} is defined twice or is a word of Avro: name it otherwise")
    _bounded(schema, path)
    return full, space


def _short_name(name: Any, path: str) -> str:
    if not isinstance(name, str) or len(name) > _MAX_NAME or not _NAME.fullmatch(name):
        raise _bad(path, f"a name is 1 to {_MAX_NAME} letters, digits and underscores, and begins with no digit")
    return name


def _bounded(node: Mapping[str, Any], path: str) -> None:
    if "aliases" in node:
        raise _bad(path, "aliases would let one field be read as another: add a new field instead")
    if len(str(node.get("doc", ""))) > _MAX_DOC:
        raise _bad(path, f"doc has more than {_MAX_DOC} characters")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")


def _bad(path: str, what: str) -> ConfigurationError:
    where = f" at {path[:200]}" if path else ""
    return ConfigurationError(f"This schema cannot be used{where}: {what}.", code="bad_schema")


_KINDS: Mapping[str, Callable[[Mapping[str, Any], _Walk, str, str, int], _Size]] = {
    "record": _record,
    "enum": _enum,
    "array": _items("items"),
    "map": _items("values"),
}
