"""`lienthong inbox list | show | answer`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from agents import keeps_inbox
from connectors.postgres import InboxItem, find_item, list_gaps, list_items, list_parked
from lienthong.acts import Answer, answer
from lienthong.agency_session import AgencySession, now, open_agency
from lienthong.commands.act import amount_of
from lienthong.commands.options import ActingAs, Data, Json, chosen_data
from lienthong.directory import LiveDirectory
from lienthong.output import as_json, json_line, say, table
from streams.calendar import vietnamese_day
from streams.errors import InputError
from streams.headers import envelope_type
from streams.inbox import revealer
from streams.names import officer_name
from streams.sealing import Reveal

__all__ = ["add_to"]

_PARKED = ("event_id", "type", "waits_for", "parked_at")
_GAPS = ("subject", "expected", "found", "noticed_at")
_COLUMNS = ("event_id", "type", "from", "received_at", "due", "answer", "notes")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="An agency's inbox.")
    group.command("list")(show_list)
    group.command("show")(show_item)
    group.command("answer")(give_answer)
    app.add_typer(group, name="inbox")


def show_list(
    officer: ActingAs,
    waiting: Annotated[bool, typer.Option("--waiting", help="Only what an answer is owed for.")] = False,  # noqa: FBT002 -- a flag
    parked: Annotated[bool, typer.Option("--parked", help="What waits for an event before it.")] = False,  # noqa: FBT002 -- a flag
    gaps: Annotated[bool, typer.Option("--gaps", help="Numbers missing among the copies about a subject.")] = False,  # noqa: FBT002 -- a flag
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    data: Data = None,
    json: Json = False,  # noqa: FBT002 -- a flag
) -> None:
    """List the inbox: what is due first, then the newest."""
    if gaps:
        asyncio.run(_list_gaps(chosen_data(data), officer, limit=limit, json=json))
    elif parked:
        asyncio.run(_list_parked(chosen_data(data), officer, limit=limit, json=json))
    else:
        asyncio.run(_list(chosen_data(data), officer, waiting=waiting, limit=limit, json=json))


def show_item(officer: ActingAs, event_id: UUID, data: Data = None, json: Json = False) -> None:  # noqa: FBT002 -- a flag
    """Show one event as this agency may see it; sealed fields are opened where the agency was given the key."""
    asyncio.run(_show(chosen_data(data), officer, event_id, json=json))


def give_answer(
    officer: ActingAs,
    event_id: UUID,
    status: Annotated[str, typer.Option(help="accepted, refused, executed, partly or nothing_found.")],
    reason: Annotated[str | None, typer.Option(help="Why, in words.")] = None,
    amount: Annotated[str | None, typer.Option(help="The blocked amount in VND.")] = None,
    data: Data = None,
    json: Json = False,  # noqa: FBT002 -- a flag
) -> None:
    """Answer an event; the answer is signed with the officer's key."""
    given = Answer(status=status, reason=reason, amount_vnd=amount_of(amount))
    asyncio.run(_answer(chosen_data(data), officer, event_id, given, json=json))


async def _list(data: Path, officer: str, *, waiting: bool, limit: int, json: bool) -> None:
    async with open_agency(data, _agency(data, officer)) as session:
        rows = [_row(item) for item in await list_items(session.database, waiting_only=waiting, limit=limit)]
    _print_rows(f"Inbox of {session.agency}", _COLUMNS, rows, json=json)


async def _list_parked(data: Path, officer: str, *, limit: int, json: bool) -> None:
    async with open_agency(data, _agency(data, officer)) as session:
        rows = [
            {
                "event_id": each.event_id,
                "type": envelope_type(each.record.headers),
                "waits_for": each.waits_for,
                "parked_at": each.parked_at,
            }
            for each in await list_parked(session.database, limit=limit)
        ]
    _print_rows(f"Waiting at {session.agency}", _PARKED, rows, json=json)


async def _list_gaps(data: Path, officer: str, *, limit: int, json: bool) -> None:
    async with open_agency(data, _agency(data, officer)) as session:
        rows = [
            {name: getattr(each, name) for name in _GAPS} for each in await list_gaps(session.database, limit=limit)
        ]
    _print_rows(f"Missing at {session.agency}", _GAPS, rows, json=json)


def _print_rows(title: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], *, json: bool) -> None:
    if json:
        for row in rows:
            json_line(row)
        return
    table(title, columns, [[_shown(row[name]) for name in columns] for row in rows])


async def _show(data: Path, officer: str, event_id: UUID, *, json: bool) -> None:
    async with open_agency(data, _agency(data, officer)) as session:
        item = await find_item(session.database, event_id)
        if item is None:
            raise InputError(f"The inbox of {session.agency} has no event {event_id}: see `lienthong inbox list`.")
        row = await _whole(session, item)
    if json:
        json_line(row)
        return
    fields = row.pop("data")
    table(f"{item.event_type} {event_id}", ("", ""), [(name, _shown(value)) for name, value in row.items()])
    table("Fields", ("field", "value"), [(name, _shown(value)) for name, value in fields.items()])


async def _answer(data: Path, officer: str, event_id: UUID, given: Answer, *, json: bool) -> None:
    async with open_agency(data, _agency(data, officer)) as session:
        prepared, new = await answer(session, data, officer, event_id, given)
    if json:
        json_line({"event_id": prepared.event.id, "type": prepared.event.type, "status": given.status, "new": new})
    else:
        say(f"{prepared.event.type} {prepared.event.id}: {given.status}{'' if new else ', as answered before'}.")


async def _whole(session: AgencySession, item: InboxItem) -> dict[str, Any]:
    event = await session.reader.read(item.record)
    reveal = await revealer(session.keys, event.data)
    return {
        **_row(item),
        "officer": event.officer,
        "cause": event.cause,
        "correlation": event.correlation,
        "purpose": event.purpose,
        "legal_article": event.legal_article,
        "removed": list(event.removed),
        "data": {name: _opened(value, reveal) for name, value in event.data.items()},
    }


def _opened(value: Any, reveal: Reveal) -> Any:
    if isinstance(value, Mapping) and "ciphertext" in value:
        return reveal(value) or "sealed"
    if isinstance(value, Mapping):
        return {name: _opened(each, reveal) for name, each in value.items()}
    if isinstance(value, list):
        return [_opened(each, reveal) for each in value]
    return value


def _row(item: InboxItem) -> dict[str, Any]:
    return {
        "event_id": item.event_id,
        "type": item.event_type,
        "from": item.source,
        "received_at": item.received_at,
        "due": item.answer_due,
        "answer": item.answer_status,
        "answered_at": item.answered_at,
        "notes": list(item.notes),
    }


def _shown(value: Any) -> str:
    plain = as_json(value)
    if isinstance(plain, list):
        return "; ".join(_shown(each) for each in plain)
    if isinstance(plain, dict):
        return ", ".join(f"{name}={_shown(each)}" for name, each in plain.items() if each not in (None, []))
    return "" if plain is None else str(plain)


def _agency(data: Path, officer: str) -> str:
    """Check that the directory knows the officer, and that the agency keeps an inbox; give the agency."""
    directory = LiveDirectory(data)()
    directory.officer(officer, on=vietnamese_day(now()))
    code = officer_name(officer)[0]
    kind = directory.agency(code).kind
    if not keeps_inbox(kind):
        raise InputError(
            f"{code} keeps no inbox: its kind, {kind}, is stateless. Events that reached it, and what it made of "
            "them, are in `lienthong trace`; what it refused in `lienthong quarantine list`."
        )
    return code
