"""
The load: what the agencies' own systems would publish, made from a seed.

Invoices of many sellers, numbered under each seller, so that order can be seen; flagged parcels and where they were
seen; payment blocks and their answers, signed by officers; and a few records that nobody may publish.
"""

from __future__ import annotations

import io
import json
import random
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import cycle
from pathlib import Path
from typing import Any
from uuid import UUID

import fastavro
from history import APPLIED, REPEAT, Operation

from streams.codec import Codec
from streams.event import Event, derived_id
from streams.headers import event_headers
from streams.names import AgencyCode, EventType, event_topic
from streams.signing import OfficerKey, sign
from streams.subject import SubjectRef, pseudonym

__all__ = ["CANARY", "POISON", "PROBE", "PROBED_EVERY", "Made", "Maker", "Mix"]

CANARY = "CANARY-7e3d"
"""Stands in a field that some recipients of an event may see and others may not."""

PROBE = "probe"
"""The stateless handler of the kit: it makes an anomaly of one invoice in `PROBED_EVERY`."""

PROBED_EVERY = 4

PLANTED_EVERY = 10
"""One invoice in so many has a fault that the tax office's own rules find."""

POISON = ("random_bytes", "empty", "no_framing", "unknown_schema", "trailing", "no_type", "bad_id", "bad_time")
"""Kinds of records that cannot be read at all."""


@dataclass(frozen=True, kw_only=True)
class Mix:
    """
    What a load is made of.

    Args:
        events: records to publish.
        seed: of all chance.
        sellers: how many sellers have invoices.
        parcels: share of records that are about parcels.
        blocks: share of records that are payment blocks and answers.
        strangers: share of records that must be refused.
        repeats: share of records that are published again, unchanged.
        conflicts: share of records whose id is used again with another value.
        poison: share of records that cannot be read.
        swapped: share of invoices whose number comes before the one that goes before it.
        crossed: share of answers and sightings that are published before their cause.
        evolved: share of invoices in the newest schema that the test registered meanwhile.
        rate: records a second, at most.
    """

    events: int
    seed: int
    sellers: int = 60
    parcels: float = 0.12
    blocks: float = 0.04
    strangers: float = 0.01
    repeats: float = 0.01
    conflicts: float = 0.002
    poison: float = 0.0
    swapped: float = 0.0
    crossed: float = 0.0
    evolved: float = 0.0
    rate: float = 5000.0


@dataclass(frozen=True, slots=True)
class Made:
    """A record and what is expected of it."""

    operation: Operation
    value: bytes | None
    headers: list[tuple[str, bytes]]


class Maker:
    """
    Makes the records of a mix, always the same for one seed but for times and signatures.

    Args:
        mix: what to make.
        codec: with the registry's ids.
        officers: keys of the officers who sign, by agency.
        evolved: file in which the test writes down a newer schema of invoices.
    """

    def __init__(self, mix: Mix, codec: Codec, officers: Mapping[str, OfficerKey], evolved: Path) -> None:
        self._mix = mix
        self._codec = codec
        self._officers = officers
        self._evolved_note = evolved
        self._chance = random.Random(mix.seed)  # noqa: S311 -- a load, not a secret
        self._sellers = [pseudonym("seller", "vn-mst", f"{mix.seed} {each}") for each in range(mix.sellers)]
        self._numbers: dict[int, int] = defaultdict(int)
        self._recent: deque[Made] = deque(maxlen=40)
        self._number = 0
        self._poisons = cycle(POISON)

    def __iter__(self) -> Iterator[Made]:
        """Make all of them, in the order of publishing."""
        while self._number < self._mix.events:
            for each in self._next():
                self._recent.append(each)
                yield each

    def _next(self) -> list[Made]:
        mix, chance = self._mix, self._chance
        kinds: dict[Callable[[], list[Made]], float] = {
            self._parcel: mix.parcels / 2,
            self._block: mix.blocks / 2,
            self._stranger: mix.strangers,
            self._repeat: mix.repeats,
            self._conflict: mix.conflicts,
            self._poison: mix.poison,
            self._swapped: mix.swapped / 2,
            self._evolved: mix.evolved,
        }
        lot = chance.random()
        for make, share in kinds.items():
            lot -= share
            if lot < 0:
                return make()
        return [self._invoice()]

    def _id(self) -> UUID:
        return UUID(int=self._chance.getrandbits(128), version=4)

    def _made(self, event: Event, *, signed: bool = False, expect: str = APPLIED, **about: Any) -> Made:
        value = self._codec.encode(event.type, event.data)
        if signed:
            event = sign(event, value, self._officers[event.source])
        return self._record(event, value, event_headers(event), expect=expect, **about)

    def _record(self, event: Event, value: bytes | None, headers: Any, *, expect: str, **about: Any) -> Made:
        self._number += 1
        operation = Operation(
            number=self._number,
            event_id=about.pop("event_id", event.id),
            topic=event_topic(event.type),
            key=event.subject.key,
            cause=event.cause,
            expect=expect,
            **about,
        )
        return Made(operation, value, list(headers))

    def _event(self, event_type: str, source: str, subject: SubjectRef, data: Mapping[str, Any], **about: Any) -> Event:
        chosen = self._id()
        return Event(
            id=chosen,
            type=EventType(event_type),
            source=AgencyCode(source),
            subject=subject,
            time=datetime.now(UTC),
            data=data,
            correlation=about.pop("correlation", chosen),
            **about,
        )

    def _invoice(self, seller: int | None = None, number: int | None = None, **about: Any) -> Made:
        seller = self._chance.randrange(len(self._sellers)) if seller is None else seller
        if number is None:
            self._numbers[seller] += 1
            number = self._numbers[seller]
        event = self._invoice_event(seller, number, source=about.pop("source", "tax-hanam"))
        derives = []
        if about.get("expect", APPLIED) == APPLIED:
            if number % PLANTED_EVERY == 0:
                derives.append(derived_id(event.id, "detect_anomalies", 0))
            if number % PROBED_EVERY == 0:
                derives.append(derived_id(event.id, PROBE, 0))
        return self._made(event, sequence=number, derives=tuple(derives), **about)

    def _invoice_event(self, seller: int, number: int, *, source: str) -> Event:
        subject = self._sellers[seller]
        ref = {
            "seller": subject.as_data(),
            "form": "1",
            "series": "K26TFK",
            "number": f"{number:08d}",
            "issued_on": None,
        }
        data: dict[str, Any] = {"seller": subject.as_data(), "invoice": ref, "seller_bank": CANARY}
        if number % PLANTED_EVERY == 0:
            data["tax_rates"] = [{"rate": "77%", "net_amount": None, "tax_amount": None}]
        return self._event("einvoice.received", source, subject, data)

    def _swapped(self) -> list[Made]:
        seller = self._chance.randrange(len(self._sellers))
        number = self._numbers[seller] + 1
        self._numbers[seller] += 3  # the third is a gap
        return [self._invoice(seller, number + 1), self._invoice(seller, number)]

    def _evolved(self) -> list[Made]:
        """Make an invoice in a newer schema, with a field that only that has; an ordinary one while there is none."""
        if not self._evolved_note.exists():
            return [self._invoice()]
        note = json.loads(self._evolved_note.read_text(encoding="utf-8"))
        made = self._invoice(expect=note["expect"])
        data = self._codec.decode(made.value, expected=EventType("einvoice.received"))
        encoded = io.BytesIO()
        fastavro.schemaless_writer(encoded, fastavro.parse_schema(note["schema"]), {**data, note["field"]: CANARY})
        return [replace(made, value=b"\0" + int(note["id"]).to_bytes(4) + encoded.getvalue())]

    def _parcel(self) -> list[Made]:
        parcel = pseudonym("parcel", "postal-number", str(self._id()))
        flagged = {"parcel": parcel.as_data(), "seller": self._sellers[0].as_data(), "carrier": "post-hanam"}
        made = [self._made(self._event("shipment.flagged", "qltt-hanam", parcel, flagged))]
        # A second sighting has the same key: where the first one waits it waits behind it, and nowhere overtakes it.
        for _ in range(2 if self._mix.crossed else 1):
            made.append(self._made(self._sighting(parcel, flag_id=made[0].operation.event_id)))
        return self._crossed(made)

    def _sighting(self, parcel: SubjectRef, *, flag_id: UUID | None) -> Event:
        seen = {
            "parcel": parcel.as_data(),
            "flag_id": flag_id,
            "event_code": "EMD",
            "remark": CANARY,
            "seen_at": datetime.now(UTC),
        }
        return self._event("shipment.sighted", "post-hanam", parcel, seen, cause=flag_id, correlation=flag_id, depth=1)

    def _block(self) -> list[Made]:
        account = pseudonym("account", "vn-account", str(self._id()))
        asked = {
            "target": account.as_data(),
            "authority": "police-hanam",
            "signer": "police-hanam/investigator",
            "decision_number": "1/QD",
            "decision_date": date(2026, 1, 2),
            "legal_act": "nd-52-2024",
            "legal_article": "11.1",
            "decision": {"sha256": "0" * 64, "media_type": "application/pdf", "size_bytes": 1},
            "bank_bin": "970999",
            "extent": "full",
            "valid_from": datetime.now(UTC),
        }
        request = self._event("payment_block.requested", "police-hanam", account, asked)
        said = {
            "target": account.as_data(),
            "request_id": request.id,
            "status": "executed",
            "answered_by": "sbv-hanam/payment-desk",
            "blocked_vnd": None,
        }
        answer = self._event(
            "payment_block.answered", "sbv-hanam", account, said, cause=request.id, correlation=request.id, depth=1
        )
        if self._chance.random() < self._mix.strangers * 5:
            return [self._unsigned(request)]
        return self._crossed([self._made(request, signed=True), self._made(answer, signed=True)])

    def _crossed(self, made: list[Made]) -> list[Made]:
        """Put a cause, which is the first, behind some of its effects, or leave it where it is."""
        cause, *effects = made
        if self._chance.random() >= self._mix.crossed:
            return made
        at = self._chance.randint(1, len(effects))
        return [*effects[:at], cause, *effects[at:]]

    def _unsigned(self, request: Event) -> Made:
        """Make a block that no officer signed, or with a signature over something else."""
        value = self._codec.encode(request.type, request.data)
        if self._chance.random() < 0.5:
            return self._record(request, value, event_headers(request), expect="officer_unsigned")
        other = sign(replace(request, subject=self._sellers[0]), value, self._officers[request.source])
        forged = replace(other, subject=request.subject)
        return self._record(request, value, event_headers(forged), expect="officer_signature")

    def _stranger(self) -> list[Made]:
        if self._chance.random() < 0.5 or not self._mix.blocks:
            return [self._invoice(0, 1, source="post-hanam", expect="not_granted")]
        return self._block()

    def _repeat(self) -> list[Made]:
        known = self._known()
        if known is None:
            return []
        self._number += 1
        operation = replace(known.operation, number=self._number, expect=REPEAT, derives=())
        return [Made(operation, known.value, known.headers)]

    def _conflict(self) -> list[Made]:
        known = self._known("lt.einvoice.received")
        if known is None:
            return []
        self._number += 1
        subject = next(each for each in self._sellers if each.key == known.operation.key)
        other = self._invoice_event(self._sellers.index(subject), 99_999_999, source="tax-hanam")
        operation = replace(
            known.operation, number=self._number, expect="conflicting_duplicate", derives=(), sequence=None
        )
        return [Made(operation, self._codec.encode(other.type, other.data), known.headers)]

    def _known(self, topic: str | None = None) -> Made | None:
        known = [
            each for each in self._recent if each.operation.expect == APPLIED and topic in {None, each.operation.topic}
        ]
        return self._chance.choice(known) if known else None

    def _poison(self) -> list[Made]:
        kind = next(self._poisons)
        good = self._invoice_event(0, 1, source="tax-hanam")
        value: bytes | None = self._codec.encode(good.type, good.data)
        headers = dict(event_headers(good))
        noise = self._chance.randbytes(60)
        value, expect = {
            "random_bytes": (noise if noise[0] else b"\1" + noise, "not_framed"),
            "empty": (b"", "not_framed"),
            "no_framing": (value[5:], "not_framed"),
            "unknown_schema": (b"\0\x00\x7f\xff\xff" + value[5:], "unknown_schema"),
            "trailing": (value + b"\0\0", "trailing_bytes"),
        }.get(kind, (value, "bad_envelope"))
        headers |= {"bad_id": {"ce_id": b"no uuid"}, "bad_time": {"ce_time": b"yesterday"}}.get(kind, {})
        if kind == "no_type":
            del headers["ce_type"]
        return [self._record(good, value, headers.items(), expect=expect, event_id=None)]
