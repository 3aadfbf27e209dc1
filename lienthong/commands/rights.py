"""`lienthong who-sees` and `lienthong preview`: who would receive which field, by which article, before publishing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from lienthong.agency_session import now
from lienthong.commands.options import Data, Json, chosen_data
from lienthong.directory import LiveDirectory
from lienthong.output import json_line, say, table
from streams.calendar import begin_of_day, vietnamese_day
from streams.catalogue import EventTypeSpec, load_catalogue
from streams.directory import Directory, load_directory
from streams.errors import InputError
from streams.law import Law, load_law
from streams.names import EventType
from streams.policy import Delivery, Entitlement
from streams.preview import Preview, Refusal, preview, read_plain
from streams.visibility import Sight, sights

__all__ = ["add_to"]

_MAX_BYTES = 16 * 1024 * 1024
_FIRST_YEAR, _LAST_YEAR = 1945, 2200

AsOf = Annotated[
    datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="The day, as in 2026-11-24; today.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("who-sees")(who_sees)
    app.command("preview")(preview_file)


def who_sees(
    event_type: Annotated[str, typer.Argument(help="For instance seller.suspected.")],
    field: Annotated[str | None, typer.Option(help="Only this field.")] = None,
    as_of: AsOf = None,
    json: Json = False,  # noqa: FBT002 -- a flag
) -> None:
    """Say which agency sees which field of a type, by which article and for what; nothing needs to run."""
    spec = _spec(event_type)
    directory, on = load_directory(), vietnamese_day(_moment(as_of))
    found = sights(spec, directory, on=on, fields=None if field is None else {field})
    if json:
        for each in found:
            json_line(_seen(each))
        return
    _show_sights(spec, found, directory, on)


def preview_file(
    file: Annotated[Path, typer.Argument(help="An event in the JSON format of CloudEvents: type, source, data.")],
    as_of: AsOf = None,
    data: Data = None,
    json: Json = False,  # noqa: FBT002 -- a flag
) -> None:
    """
    Say who would receive which field of an event that nobody published yet, and what is against it.

    Exit 1 when admission would refuse it. Nothing needs to run; officers whom this installation added are known.
    """
    plain = read_plain(_text(file))
    found = preview(plain, load_catalogue(), LiveDirectory(chosen_data(data))(), at=_moment(as_of))
    if json:
        json_line(_previewed(found))
    else:
        _show_preview(found)
    if found.refusals:
        raise typer.Exit(1)


def _moment(as_of: datetime | None) -> datetime:
    """Give the begin of a day in Vietnam, or the time as it is."""
    if as_of is None:
        return now()
    if not _FIRST_YEAR <= as_of.year <= _LAST_YEAR:
        raise InputError(f"--as-of is a day from {_FIRST_YEAR} to {_LAST_YEAR}, not in {as_of.year}.")
    return begin_of_day(as_of.date())


def _spec(event_type: str) -> EventTypeSpec:
    types = load_catalogue().types
    if event_type not in types:
        raise InputError(f"'{event_type}' is no event type; there are: {', '.join(sorted(types))}.")
    return types[EventType(event_type)]


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise InputError(f"{file} has more than {_MAX_BYTES} bytes: it is no event.")
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is no UTF-8 text: save it as UTF-8.") from error


def _seen(each: Sight) -> dict[str, Any]:
    basis = each.basis
    return {
        "agency": each.agency,
        "field": each.field,
        "seen": each.seen,
        "purpose": basis.purpose if basis else None,
        "article": basis.article if basis else None,
        "from": basis.days[0] if basis else None,
        "to": basis.days[1] if basis and basis.days[1] != date.max else None,
    }


def _previewed(found: Preview) -> dict[str, Any]:
    return {
        "type": found.plain.type,
        "source": found.plain.source,
        "on": found.on,
        "refused": [_refused(each) for each in found.refusals],
        "signers": list(found.signers),
        "recipients": [_recipient(found, each) for each in found.deliveries],
    }


def _refused(each: Refusal) -> dict[str, Any]:
    return {"code": each.code, "path": each.path or None, "vi": each.vi, "en": each.en}


def _recipient(found: Preview, each: Delivery) -> dict[str, Any]:
    return {
        "agency": each.agency,
        "seen": found.seen(each),
        "withheld": list(each.removed),
        "purpose": each.purpose,
        "article": each.article,
        "answer": each.answer_type,
        "answer_due": each.answer_due,
    }


def _show_sights(spec: EventTypeSpec, found: Sequence[Sight], directory: Directory, on: date) -> None:
    bases = {each.agency: each.basis for each in found if each.basis is not None}
    _show_bases(f"{spec.type} ({spec.title_vi}), {on}", list(bases.values()), directory)
    columns = ["", *bases]
    by_field: dict[str, dict[str, bool]] = {}
    for each in found:
        by_field.setdefault(each.field, {})[each.agency] = each.seen
    rows = [
        [f"{name}{' *' if name in spec.sealed else ''}", *["✓" if seen[code] else "–" for code in bases]]
        for name, seen in by_field.items()
    ]
    table("Trường / Fields", columns, rows)
    say("✓ thấy / seen; – lược bỏ / taken out; * dữ liệu cá nhân / personal.")
    nothing = sorted({each.agency for each in found if each.basis is None})
    say(f"Không nhận gì / receive nothing: {', '.join(nothing) or '–'}.")


def _show_bases(title: str, bases: Sequence[Entitlement], directory: Directory) -> None:
    law = load_law()
    rows = []
    for each in bases:
        first, last = each.days
        owed = f"{each.answer_type} ({each.answer_within.total_seconds() / 3600:.0f} h)" if each.answer_type else None
        names = directory.agencies[each.agency].names
        rows.append(
            (
                f"{names.vi}\n{names.en}\n{each.agency}",
                _purpose(law, each.purpose),
                _article(law, each.article),
                f"{first} – {'' if last == date.max else last}",
                owed,
            )
        )
    table(
        title,
        ("cơ quan / agency", "mục đích / purpose", "căn cứ / article", "hiệu lực / valid", "phải trả lời / owes"),
        rows,
    )


def _show_preview(found: Preview) -> None:
    if found.refusals:
        title = f"{found.plain.type}: sẽ bị từ chối / would be refused, {found.on}"
        rows = [(each.code, each.path, f"{each.vi}\n{each.en}") for each in found.refusals]
        table(title, ("mã / code", "trường / field", "lý do / reason"), rows)
    else:
        say(f"{found.plain.type}: sẽ được tiếp nhận / would be admitted, {found.on}.")
    if found.signers:
        say(f"Ký bởi một trong / one of these must sign: {', '.join(found.signers)}.")
    law = load_law()
    columns = ("cơ quan / agency", "thấy / sees", "lược bỏ / taken out", "căn cứ / article", "hạn trả lời / answer due")
    received = [
        (
            each.agency,
            ", ".join(found.seen(each)),
            ", ".join(each.removed),
            f"{_article(law, each.article)}\n{_purpose(law, each.purpose)}",
            f"{each.answer_type}\n{each.answer_due:%Y-%m-%d %H:%MZ}" if each.answer_due else None,
        )
        for each in found.deliveries
    ]
    table("Nếu được tiếp nhận, ai nhận gì / if admitted, who receives what", columns, received)


def _purpose(law: Law, code: str) -> str:
    purpose = law.purposes.get(code)
    return f"{purpose.vi}\n{purpose.en}" if purpose else code


def _article(law: Law, article: str) -> str:
    """Name an article by its title; what was not read in the official text says so."""
    basis = law.basis(article)
    if basis is None:
        return article
    assumed = " (giả định / assumption)" if basis.assumption else ""
    return f"{article}{assumed}\n{basis.article.title_vi}\n{basis.article.title_en}"
