"""
What would become of an event before anybody publishes it: refused, or who would receive which of its fields.

Asks what admission asks (`streams.examination`): the codec, the directory, `streams.policy`. What rests on the record
itself, its signature and its envelope, can only be seen when it is made.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from streams.calendar import vietnamese_day
from streams.catalogue import Catalogue, EventTypeSpec
from streams.codec import Codec
from streams.directory import Directory
from streams.errors import ForbiddenError, InputError, PermanentError
from streams.examination import require_storable
from streams.headers import SOURCE
from streams.names import AgencyCode, EventType, OfficerName
from streams.plain_values import read_fields
from streams.policy import Delivery, entitled, share
from streams.signing import may_act

__all__ = ["PlainEvent", "Preview", "Refusal", "preview", "read_plain"]


@dataclass(frozen=True, slots=True)
class PlainEvent:
    """
    An event as a file has it, in the JSON format of CloudEvents 1.0.

    Args:
        type: the event type, as written.
        source: the sending agency's code.
        data: the fields, as JSON values.
        officer: who would sign, `AGENCY/OFFICER`; None when the file names nobody.
    """

    type: EventType
    source: AgencyCode
    data: Any = field(repr=False)
    officer: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """
    Why admission would refuse it.

    Args:
        code: as in quarantine (docs/protocol.md).
        path: the field, empty for the event.
        vi: a sentence that says what is wrong, in Vietnamese.
        en: the same in English.
    """

    code: str
    path: str
    vi: str
    en: str


@dataclass(frozen=True, slots=True)
class Preview:
    """
    What would become of an event.

    Args:
        plain: the event.
        on: the day of admission.
        refusals: why it would be refused; empty when it would be admitted.
        deliveries: who would receive it, once nothing is against it.
        there: the fields that have a value.
        signers: officers of the sender who could sign it on that day; empty when none needs to.
    """

    plain: PlainEvent
    on: date
    refusals: Sequence[Refusal]
    deliveries: Sequence[Delivery]
    there: tuple[str, ...]
    signers: Sequence[OfficerName]

    def seen(self, delivery: Delivery) -> list[str]:
        """Give the fields that a recipient would see."""
        return [name for name in self.there if name not in delivery.removed]


def read_plain(text: str) -> PlainEvent:
    """
    Read an event's file.

    Raises:
        InputError: it is no JSON object with `type`, `source` and `data`.
    """
    try:
        given = json.loads(text, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:
        raise InputError(f"The file is no JSON: {error}. {_FORM}") from error
    missing = [name for name in ("type", "source", "data") if not isinstance(given, dict) or name not in given]
    if missing:
        raise InputError(f"The file lacks {', '.join(missing)}. {_FORM}")
    names = [given.get(name, "") for name in ("type", "source", "officer")]
    if not all(isinstance(each, str) and each.isascii() and each.isprintable() for each in names):
        raise InputError(f"'type', 'source' and 'officer' are names of ASCII letters, digits and marks. {_FORM}")
    source = given["source"].removeprefix(SOURCE)
    return PlainEvent(EventType(given["type"]), AgencyCode(source), given["data"], given.get("officer"))


def preview(plain: PlainEvent, catalogue: Catalogue, directory: Directory, *, at: datetime) -> Preview:
    """
    Say what would become of an event.

    Args:
        plain: the event.
        catalogue: the event types.
        directory: the agencies.
        at: when it would be admitted, aware UTC; grants, officers and due dates go by it.
    """
    day = vietnamese_day(at)
    spec = catalogue.types.get(plain.type)
    if spec is None:
        known = ", ".join(sorted(catalogue.types))
        refusal = Refusal(
            "unknown_type",
            "",
            f"Không có loại sự kiện '{plain.type}'; có: {known}.",
            f"There is no event type '{plain.type}'; there are: {known}.",
        )
        return Preview(plain, day, [refusal], [], (), [])
    data, misfits = read_fields(spec.schema, plain.data)
    refusals = [Refusal("does_not_fit", each.path, each.vi, each.en) for each in misfits]
    if not misfits:
        refusals += _unacceptable(spec, catalogue, data)
    refusals += _not_granted(plain, directory, day)
    signers = _signers(plain, directory, day) if spec.signed_by_officer else []
    if spec.signed_by_officer:
        refusals += _unsigned(plain, directory, day, signers)
    # A value that does not fit yet is there all the same: once it is mended, somebody will see it.
    given = {name: plain.data.get(name) if data.get(name) is None else data[name] for name in data}
    return Preview(
        plain=plain,
        on=day,
        refusals=refusals,
        deliveries=share(given, entitled(spec, directory, on=day), at=at),
        there=tuple(name for name in spec.fields if given.get(name) is not None),
        signers=signers,
    )


def _unacceptable(spec: EventTypeSpec, catalogue: Catalogue, data: Mapping[str, Any]) -> Iterator[Refusal]:
    """Let the codec judge what fits by its form: its limits, and what the database has no place for."""
    codec = Codec(catalogue=catalogue, ids={spec.type: 1})
    try:
        codec.decode(codec.encode(spec.type, data), expected=spec.type)
        require_storable(data, spec)
    except PermanentError as error:
        yield Refusal(error.code, "", f"Dữ liệu không được chấp nhận ({error.code}).", str(error))


def _not_granted(plain: PlainEvent, directory: Directory, day: date) -> Iterator[Refusal]:
    agency = directory.agencies.get(plain.source)
    if agency is None or not agency.may_publish(plain.type, on=day):
        yield Refusal(
            "not_granted",
            "",
            f"Danh bạ không cho phép '{plain.source}' phát hành {plain.type} vào {day:%d/%m/%Y}.",
            f"The directory does not let '{plain.source}' publish {plain.type} on {day}.",
        )


def _signers(plain: PlainEvent, directory: Directory, day: date) -> list[OfficerName]:
    agency = directory.agencies.get(plain.source)
    officers = agency.officers if agency else ()
    return sorted({each.name for each in officers if each.holds(on=day) and may_act(each)})


def _unsigned(plain: PlainEvent, directory: Directory, day: date, signers: Sequence[OfficerName]) -> Iterator[Refusal]:
    """Say why the named officer could not sign, or that nobody could."""
    code = "officer_unsigned"
    if plain.officer in signers or (plain.officer is None and signers):
        return
    if plain.officer is not None:
        try:
            directory.officer(plain.officer, on=day)
            code = "officer_role" if plain.officer.startswith(f"{plain.source}/") else "officer_unknown"
        except (ForbiddenError, InputError):
            code = "officer_unknown"
    who = ", ".join(signers) or "–"
    yield Refusal(
        code,
        "",
        f"Phải có chữ ký của một cán bộ của '{plain.source}'; vào {day:%d/%m/%Y} có thể ký: {who}.",
        f"An officer of '{plain.source}' must sign it; on {day} these can: {who}.",
    )


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name comes twice in one object")
    return made


_FORM = (
    'Write an event in the JSON format of CloudEvents: {"type": "seller.suspected", "source": "qltt-hanam", '
    '"data": {...}}; the fields of each type are in docs/events.md.'
)
