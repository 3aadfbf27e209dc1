"""A seeded generator of records that nobody well-meaning writes; each of one kind, none of which is an event."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_letters
from typing import Any
from uuid import uuid4

from forger import Forged, Forger

from streams.guards import MAX_HEADERS, MAX_ITEMS, MAX_KEY_BYTES, MAX_TEXT_BYTES, MAX_VALUE_BYTES
from streams.names import EventType

__all__ = ["Hostile", "RawName", "hostile"]

TOPIC = "lt.einvoice.received"
INBOX = "lt.inbox.bcd389-hanam"
RECEIVED = EventType("einvoice.received")
PARSING = Path(__file__).parents[4] / "shared" / "data" / "badinput" / "JSONTestSuite" / "test_parsing"
NAUGHTY = (
    "",
    "undefined",
    "NaN",
    "1e999",
    "\u202etest",
    "\ufeff",
    "ﷺ" * 200,
    "'; drop table event; --",
    "$(touch /x)",
    "<x>",
    "../../x",
)

_Header = tuple[str, bytes | None]


class RawName(str):
    """A header's name that is written as these hexadecimal bytes."""

    __slots__ = ()

    def encode(self, *_: Any) -> bytes:
        """Give the bytes."""
        return bytes.fromhex(self)


@dataclass(frozen=True)
class Hostile:
    """A record to be written."""

    kind: str
    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[_Header]


class _Maker:
    """Makes records of every kind with one random source."""

    def __init__(self, forger: Forger, chance: random.Random) -> None:
        self._forger = forger
        self._chance = chance
        self._spec = forger.codec.catalogue[RECEIVED]
        self._texts = [path.read_bytes() for path in sorted(PARSING.glob("n_*.json"))] if PARSING.is_dir() else []

    def good(self) -> Forged:
        return self._forger.invoice(uuid4().hex)

    def bytes(self, most: int) -> bytes:
        return self._chance.randbytes(self._chance.randint(0, most))

    def number(self, value: int) -> bytes:
        value, out = (value << 1) ^ (value >> 63), bytearray()
        while value > 0x7F:
            out.append(value & 0x7F | 0x80)
            value >>= 7
        return bytes([*out, value])

    def text(self, letters: int) -> bytes:
        """Give a text that no compression makes short enough for an index, as Avro has it."""
        return self.number(letters) + self.letters(letters)

    def letters(self, count: int) -> bytes:
        return "".join(self._chance.choices(ascii_letters, k=count)).encode()

    def with_field(self, name: str, payload: bytes) -> bytes:
        """Give an invoice with one optional field, encoded by hand; all others are null."""
        value, optional = self.good().value, len(self._spec.fields) - 2
        at = len(value) - optional + self._spec.fields.index(name) - 2
        return value[:at] + payload + value[at + 1 :]

    def values(self) -> dict[str, Callable[[], bytes | None]]:
        """Give the makers of values that are no event's, by kind."""
        chance, number, good = self._chance, self.number, lambda: self.good().value
        ids = [schema_id for each, schema_id in self._forger.codec.ids.items() if each != RECEIVED]
        prefix = good()[:5]
        return {
            "no value": lambda: chance.choice([None, b"", b"\0", b"\0\0\0\0"]),
            "random": lambda: b"\1" + self.bytes(300),
            "random behind a prefix": lambda: prefix + b"\x7f" + self.bytes(300),
            "another magic": lambda: bytes([chance.randint(1, 255)]) + good()[1:],
            "unknown id": lambda: b"\0" + chance.randint(2**24, 2**32 - 1).to_bytes(4, "big") + good()[5:],
            "another type's id": lambda: b"\0" + chance.choice(ids).to_bytes(4, "big") + good()[5:],
            "truncated": lambda: good()[: chance.randint(5, 100)],
            "extended": lambda: good() + self.bytes(20) + b"\0",
            "branch from the end": lambda: self.with_field("title", b"\1\2x"),
            "no such branch": lambda: self.with_field("title", number(chance.randint(2, 2**40))),
            "long branch": lambda: self.with_field("title", b"\x82\0\2x"),
            "negative length": lambda: self.with_field("title", b"\2" + number(-chance.randint(1, 2**40)) + b"x"),
            "endless length": lambda: self.with_field("title", b"\2" + number(2**62)),
            "endless number": lambda: self.with_field("title", b"\2" + b"\x80" * chance.randint(11, 4_000) + b"\0"),
            "no text": lambda: self.with_field("title", b"\2\4\xff\xfe"),
            "endless list": lambda: self.with_field("lines", b"\2" + number(chance.choice([2**62, -(2**62), 2**31]))),
            "list in blocks": lambda: self.with_field("lines", b"\2" + (b"\2" + b"\0" * 11) * 2 + b"\0"),
            "list with its size": lambda: self.with_field("lines", b"\2\1\x16" + b"\0" * 11 + b"\0"),
            "time out of range": lambda: self.with_field(
                "sent_at", b"\2" + number(chance.choice([2**63 - 1, -(2**63)]))
            ),
            "long decimal": lambda: self.with_field("net_amount", b"\2" + number(4_000) + b"\x7f" * 4_000),
            "padded decimal": lambda: self.with_field("net_amount", b"\2\6\0\0\1"),
            "empty decimal": lambda: self.with_field("net_amount", b"\2\0"),
            "decimal beyond precision": lambda: self.with_field("net_amount", b"\2\x1a" + b"\x7f" * 13),
            "hash of a document that is none": lambda: self.with_field(
                "document", b"\2" + self.text(3_400) + number(15) + b"application/xml" + number(1)
            ),
            "brackets": lambda: b"[" * chance.randint(1, 5_000),
            "bad JSON": lambda: b"{" + (chance.choice(self._texts)[:10_000] if self._texts else b""),
        }

    def large_values(self) -> dict[str, Callable[[], bytes]]:
        """Give those of which one is a megabyte or so."""
        number = self.number
        items = MAX_ITEMS + 1
        return {
            "too large": lambda: self.good().value.ljust(MAX_VALUE_BYTES + 1, b"\0"),
            "at Kafka's limit": lambda: self.good().value.ljust(1_047_000, b"\0"),
            "largest, of nothing": lambda: self.good().value.ljust(MAX_VALUE_BYTES, b"\0"),
            "decimal of 900 KB": lambda: self.with_field("net_amount", b"\2" + number(900_000) + b"\x7f" * 900_000),
            "long text": lambda: self.with_field(
                "title", b"\2" + number(MAX_TEXT_BYTES + 1) + b"x" * (MAX_TEXT_BYTES + 1)
            ),
            "long list": lambda: self.with_field("lines", b"\2" + number(items) + b"\0" * 11 * items + b"\0"),
            "number of 900 KB": lambda: self.with_field("title", b"\2" + b"\x80" * 900_000 + b"\0"),
        }

    def headers(self) -> dict[str, Callable[[], Sequence[_Header]]]:
        """Give the makers of headers that are no envelope, by kind."""
        chance = self._chance

        def own(**texts: bytes | None) -> list[_Header]:
            return [(name, texts.get(name.removeprefix("ce_"), value)) for name, value in self.good().headers]

        def needed(headers: Sequence[_Header]) -> list[int]:
            optional = {"content-type", "ce_subjectscheme", "ce_correlationid", "ce_depth"}
            return [at for at, (name, _) in enumerate(headers) if name not in optional]

        def lacking() -> list[_Header]:
            headers = own()
            headers.pop(chance.choice(needed(headers)))
            return headers

        return {
            "none": list,
            "one missing": lacking,
            "one twice": lambda: [*own(), chance.choice(own()[1:])],
            "null value": lambda: own(**{chance.choice(["id", "type", "time", "subject"]): None}),
            "null beside no envelope": lambda: [("x", None)] * 3,
            "ten thousand": lambda: own() + [("x", b"")] * 10_000,
            "one too many": lambda: own() + [("x", b"")] * MAX_HEADERS,
            "name no UTF-8": lambda: [*own(), (RawName(chance.randbytes(3).hex() + "ff"), b"x")],
            "name with a zero byte": lambda: [("\0", b"\0"), ("", b"")],
            "no UTF-8": lambda: own(**{chance.choice(["id", "type", "source", "subject"]): b"\xff" + self.bytes(9)}),
            "zero byte": lambda: own(subject=b"seller:\0"),
            "long attribute": lambda: own(subject=b"seller:" + b"x" * 5_000),
            "long kind of subject": lambda: own(subject=self.letters(3_400) + b":" + str(uuid4()).encode()),
            "sequence past 64 bits": lambda: [*own(), ("ce_sequence", str(2**63).encode())],
            "long header": lambda: [*own(), ("x", b"x" * 70_000)],
            "no id": lambda: own(id=chance.choice(NAUGHTY).encode()),
            "no time": lambda: own(time=chance.choice([*NAUGHTY, "0001-01-01T00:00:00+14:00"]).encode()),
            "no source": lambda: own(source=chance.choice(NAUGHTY).encode()),
            "no type": lambda: own(type=chance.choice(NAUGHTY).encode()),
            "no version": lambda: own(specversion=chance.choice([b"0.3", b"1.0 ", b""])),
            "no depth": lambda: own(depth=chance.choice([b"-1", b"x", "٣".encode(), b"9" * 4_000])),
            "a stranger": lambda: own(source=b"//lienthong/agency/police-hanam"),
            "another type": lambda: own(type=b"seller.suspected"),
        }


def hostile(forger: Forger, *, seed: int, count: int) -> Iterator[Hostile]:
    """Make so many; every kind comes before one comes again, and large ones come twice only."""
    chance = random.Random(seed)  # noqa: S311 -- to be repeated, not to be secret
    maker = _Maker(forger, chance)
    values, large, headers = maker.values(), maker.large_values(), maker.headers()
    once = [*values, *headers, "long key"]
    kinds = [*large, *large, *once]
    while len(kinds) < count:
        kinds += once
    kinds = kinds[:count]
    chance.shuffle(kinds)
    for kind in kinds:
        good = maker.good()
        topic = chance.choice([TOPIC, TOPIC, TOPIC, INBOX])
        if kind in headers:
            # Only the bus asks who may say what, and where; only an agency reads its copies' numbers.
            topic = INBOX if kind == "sequence past 64 bits" else TOPIC
            yield Hostile(kind, topic, b"k", good.value, headers[kind]())
        elif kind == "long key":
            yield Hostile(kind, topic, b"k" * chance.choice([MAX_KEY_BYTES + 1, 1_000_000]), good.value, good.headers)
        else:
            # An inbox has passed the bus, so that only the bus asks for the one form.
            yield Hostile(kind, topic if kind in _ANYWHERE else TOPIC, b"k", (values | large)[kind](), good.headers)


_ANYWHERE = frozenset(
    {
        "no value",
        "random",
        "another magic",
        "unknown id",
        "another type's id",
        "truncated",
        "extended",
        "too large",
        "long text",
    }
    | {"long list", "decimal of 900 KB", "time out of range", "endless list", "no text", "brackets", "negative length"}
)
