"""
An event's fields as people write them in JSON, made into what the type's schema says.

Decimals are strings (or whole numbers), times ISO 8601 with an offset, days ISO 8601, bytes hexadecimal, as the
commands print them. A personal value may stand in clear, as it does before it is sealed: then a stand-in of the length
that it will have takes its place, and the value itself goes no further.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from streams.avro_source import resolved

__all__ = ["Misfit", "read_fields"]

_SEALED = "vn.lienthong.types.Sealed"
_NONCE_BYTES = 12
_TAG_BYTES = 16


@dataclass(frozen=True, slots=True)
class Misfit:
    """
    A value that is not what the schema says.

    Args:
        path: where, for instance `parcels[0].carrier`.
        vi: a sentence that says what should stand there, in Vietnamese.
        en: the same in English.
    """

    path: str
    vi: str
    en: str


def read_fields(schema: Mapping[str, Any], given: Any) -> tuple[dict[str, Any], list[Misfit]]:
    """
    Read an event's fields.

    Args:
        schema: the type's, with every named type written out where it is first met.
        given: JSON values.

    Returns:
        The fields as the codec takes them, and what does not fit; where something does not, it is None.
    """
    reading = _Reading()
    _learn(schema, reading.types, "")
    fields = reading.value(schema, given, "", "")
    return fields or {}, reading.misfits


@dataclass
class _Reading:
    types: dict[str, Any] = field(default_factory=dict)
    misfits: list[Misfit] = field(default_factory=list)

    def value(self, schema: Any, given: Any, path: str, space: str) -> Any:
        kind, inner, name = resolved(schema, self.types, space)
        if kind == "optional":
            return None if given is None else self.value(inner, given, path, space)
        if kind == "record":
            return self._record(inner, name, given, path)
        if kind in ("array", "map"):
            return self._items(inner, given, path, space)
        if kind == "enum":
            return self._symbol(inner["symbols"], given, path)
        if kind == "decimal":
            return self._decimal(inner["precision"], inner.get("scale", 0), given, path)
        return self._plain(kind, given, path)

    def _record(self, schema: Mapping[str, Any], name: str, given: Any, path: str) -> Any:
        if name == _SEALED and isinstance(given, str):
            length = len(given.encode("utf-8", "surrogatepass")) + _TAG_BYTES
            return {"key_id": str(UUID(int=0)), "nonce": bytes(_NONCE_BYTES), "ciphertext": bytes(length)}
        if not isinstance(given, Mapping):
            return self._wrong(path, "một đối tượng JSON", "an object")
        known = {each["name"]: each for each in schema["fields"]}
        for extra in sorted(set(given) - set(known)):
            self.misfits.append(Misfit(_within(path, extra), "Không có trường này.", "There is no such field."))
        space = name.rpartition(".")[0]
        return {field: self._field(each, given, _within(path, field), space) for field, each in known.items()}

    def _field(self, schema: Mapping[str, Any], given: Mapping[str, Any], path: str, space: str) -> Any:
        if schema["name"] in given:
            return self.value(schema["type"], given[schema["name"]], path, space)
        if "default" not in schema:
            self.misfits.append(Misfit(path, "Bắt buộc phải có.", "It is required."))
        return schema.get("default")

    def _items(self, schema: Mapping[str, Any], given: Any, path: str, space: str) -> Any:
        if schema["type"] == "array":
            if not isinstance(given, list):
                return self._wrong(path, "một danh sách", "a list")
            return [self.value(schema["items"], each, f"{path}[{n}]", space) for n, each in enumerate(given)]
        if not isinstance(given, Mapping):
            return self._wrong(path, "một đối tượng JSON", "an object")
        return {name: self.value(schema["values"], each, _within(path, name), space) for name, each in given.items()}

    def _symbol(self, symbols: list[str], given: Any, path: str) -> Any:
        if isinstance(given, str) and given in symbols:
            return given
        return self._wrong(path, f"một trong: {', '.join(symbols)}", f"one of: {', '.join(symbols)}")

    def _decimal(self, precision: int, scale: int, given: Any, path: str) -> Any:
        number = _number(given)
        exponent = number.as_tuple().exponent if number is not None else None
        # Also a zero may not have an exponent that would be written out as so many digits.
        if number is None or not isinstance(exponent, int) or not -scale <= exponent <= precision:
            return self._wrong(path, f"một số, tối đa {scale} chữ số lẻ", f"a decimal, at most {scale} places")
        if number and number.adjusted() + scale >= precision:
            return self._wrong(path, f"tối đa {precision - scale} chữ số", f"at most {precision - scale} whole digits")
        return number

    def _plain(self, kind: str, given: Any, path: str) -> Any:
        read, vi, en = _PLAIN[kind]
        try:
            return read(given)
        except (ValueError, TypeError, OverflowError):
            return self._wrong(path, vi, en)

    def _wrong(self, path: str, vi: str, en: str) -> Any:
        self.misfits.append(Misfit(path, f"Phải là {vi}.", f"It must be {en}."))
        return None


def _learn(schema: Any, types: dict[str, Any], space: str) -> None:
    """Meet every named type of a schema, so that a part may name what an absent one writes out."""
    if isinstance(schema, list):
        for each in schema:
            _learn(each, types, space)
    elif isinstance(schema, Mapping):
        _, _, name = resolved(schema, types, space)
        inner = name.rpartition(".")[0] or space
        for each in schema.get("fields", ()):
            _learn(each["type"], types, inner)
        for key in ("items", "values"):
            _learn(schema.get(key), types, inner)


def _within(path: str, name: str) -> str:
    """Give the path of a part; a name that a terminal would obey, or that is no text, is escaped."""
    shown = name if name.isprintable() else name.encode("unicode_escape").decode()
    return f"{path}.{shown}" if path else shown


def _number(given: Any) -> Decimal | None:
    """Read a decimal; a JSON number with a point was read by a float somewhere, and is none."""
    if isinstance(given, bool) or not isinstance(given, str | int):
        return None
    try:
        return Decimal(given)
    except InvalidOperation:
        return None


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise TypeError("a text is a string")
    given.encode()  # half of a surrogate pair is no text
    return given


def _boolean(given: Any) -> bool:
    if not isinstance(given, bool):
        raise TypeError("true or false")
    return given


def _integer(bits: int) -> Callable[[Any], int]:
    def read(given: Any) -> int:
        if isinstance(given, bool) or not isinstance(given, int) or not -(1 << bits) <= given < 1 << bits:
            raise ValueError("out of range")
        return given

    return read


def _moment(given: Any) -> datetime:
    moment = datetime.fromisoformat(_text(given))
    if moment.tzinfo is None:
        raise ValueError("a time without offset")
    return moment


_PLAIN: Mapping[str, tuple[Callable[[Any], Any], str, str]] = {
    "string": (_text, "một chuỗi ký tự", "a text"),
    "boolean": (_boolean, "true hoặc false", "true or false"),
    "int": (_integer(31), "một số nguyên", "a whole number"),
    "long": (_integer(63), "một số nguyên", "a whole number"),
    "bytes": (lambda given: bytes.fromhex(_text(given)), "chuỗi thập lục phân", "bytes in hexadecimal"),
    "uuid": (lambda given: UUID(_text(given)), "một UUID", "a UUID"),
    "timestamp-micros": (_moment, "thời điểm ISO 8601 có múi giờ", "a time by ISO 8601, with its offset"),
    "date": (
        lambda given: date.fromisoformat(_text(given)),
        "ngày ISO 8601, ví dụ 2026-11-24",
        "a day by ISO 8601, such as 2026-11-24",
    ),
}
"""How a value of each primitive or logical type is read, and what it should be."""
