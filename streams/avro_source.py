"""
Python source that is written for a schema and compiled once, as the standard library does for dataclasses.

Straight code without a call for each field is twice as fast as a tree of closures (docs/decisions/0009-speed.md says
how fast). Nothing of an event ever becomes source: only what stands in a schema, by `repr`.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from streams.errors import ConfigurationError

__all__ = ["Named", "Source", "resolved"]

_INDENT = "    "


class Source:
    """
    Lines of functions that may call one another, with the values that they name.

    Args:
        title: shown in tracebacks.
        names: what the lines may use besides Python's own.
    """

    def __init__(self, title: str, names: Mapping[str, Any]) -> None:
        self._title = title
        self._names = dict(names)
        self._finished: list[str] = []
        self._lines: list[str] = []
        self._depth = 0
        self._count = 0

    def line(self, *texts: str) -> None:
        """Write lines at the block's depth."""
        self._lines += [_INDENT * self._depth + text for text in texts]

    @contextmanager
    def block(self, text: str) -> Iterator[None]:
        """Write `text` and, one step deeper, what follows."""
        self.line(text)
        self._depth += 1
        yield
        self._depth -= 1

    @contextmanager
    def function(self, head: str) -> Iterator[None]:
        """Write a function; the one that is being written goes on afterwards."""
        before, self._lines, depth, self._depth = self._lines, [], self._depth, 0
        with self.block(head):
            yield
        self._finished += self._lines
        self._lines, self._depth = before, depth

    def fresh(self, prefix: str) -> str:
        """Give a name that no other line has."""
        self._count += 1
        return f"{prefix}{self._count}"

    def constant(self, value: Any) -> str:
        """Give a name for a value."""
        name = self.fresh("c")
        self._names[name] = value
        return name

    def compiled(self, name: str) -> Callable[..., Any]:
        """Compile all functions and give one of them."""
        text = "\n".join(self._finished) + "\n"
        place = f"<{self._title}>"
        exec(compile(text, place, "exec"), self._names)  # noqa: S102 -- its text comes from our schema alone
        linecache.cache[place] = (len(text), None, text.splitlines(keepends=True), place)  # for tracebacks
        function: Callable[..., Any] = self._names[name]
        return function


Named = dict[str, str]
"""The function of each record and the schema's other named types, by full name."""


def resolved(schema: Any, types: dict[str, Any], space: str) -> tuple[str, Any, str]:
    """
    Say which kind a schema is: a primitive, a logical type, `record`, `enum`, `array`, `map` or `optional`.

    Args:
        schema: JSON values.
        types: the named types met so far, by full name; one that is met here is added.
        space: the namespace.

    Returns:
        The kind, its schema (for `optional`, that of the other branch), and its full name where it has one.

    Raises:
        ConfigurationError: a union is not null and one other type, or a name was not met before.
    """
    if isinstance(schema, list):
        if len(schema) != 2 or schema[0] != "null":  # noqa: PLR2004 -- null and one other
            raise ConfigurationError("A union is null and one other type, in this order.")
        return "optional", schema[1], ""
    if isinstance(schema, str):
        name = schema if "." in schema else f"{space}.{schema}"
        if name in types:
            return str(types[name]["type"]), types[name], name
        return schema, {"type": schema}, ""
    kind = str(schema.get("logicalType") or schema["type"])
    if kind not in {"record", "enum"}:
        return kind, schema, ""
    name = f"{schema.get('namespace', space)}.{schema['name']}"
    types[name] = schema
    return kind, schema, name
