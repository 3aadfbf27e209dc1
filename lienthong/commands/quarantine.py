"""`lienthong quarantine list | show | redrive | drop`."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from connectors.postgres import QuarantinedItem, QuarantineFilter, QuarantineState, list_quarantined
from lienthong.agency_session import open_reader
from lienthong.commands.options import ActingAs, Data, Json, chosen_data
from lienthong.output import json_line, say, table
from lienthong.printable import hexadecimal, printable
from lienthong.quarantining import Quarantine, carry_out, choose, look_into, owner_of, present
from lienthong.stack import progress_on
from streams.errors import InputError, PermanentError
from streams.quarantine import Action
from streams.record import Record

__all__ = ["add_to"]

Of = Annotated[str | None, typer.Option("--of", help="Whose: `bus`, or an agency; the officer's own when left away.")]
Reason = Annotated[str | None, typer.Option("--reason", help="Only items of this code, for instance not_granted.")]
Topic = Annotated[str | None, typer.Option("--topic", help="Only records that were read on this topic.")]
Type = Annotated[str | None, typer.Option("--type", help="Only records whose envelope names this event type.")]
Since = Annotated[datetime | None, typer.Option("--since", help="Only what was kept at or after this moment, UTC.")]
Until = Annotated[datetime | None, typer.Option("--until", help="Only what was kept before this moment, UTC.")]
Bound = Annotated[int, typer.Option("--limit", min=1, help="Never act on more items than this.")]
Do = Annotated[bool, typer.Option("--do", help="Act. Without it nothing changes and what would be done is shown.")]
Items = Annotated[list[UUID] | None, typer.Argument(help="Items; all that match when none is named.")]

_COLUMNS = ("quarantine_id", "kept_at", "reason", "type", "topic", "partition", "offset", "size_bytes", "state")
_DONE = ("quarantine_id", "reason", "type", "topic", "outcome")
_SEALED_FIELDS = frozenset({"key_id", "nonce", "ciphertext"})


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="What could not be processed: look, publish again, drop.")
    group.command("list")(show_list)
    group.command("show")(show_item)
    group.command("redrive")(redrive)
    group.command("drop")(drop)
    app.add_typer(group, name="quarantine")


def show_list(
    officer: ActingAs,
    of: Of = None,
    reason: Reason = None,
    topic: Topic = None,
    event_type: Type = None,
    since: Since = None,
    until: Until = None,
    state: Annotated[str, typer.Option(help="waiting, redriven, dropped or all.")] = "waiting",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    data: Data = None,
    json: Json = False,  # noqa: FBT002 -- a flag
) -> None:
    """List a quarantine, the oldest item first."""
    wanted = _wanted(None, reason, topic, event_type, since, until, state=_state(state))
    asyncio.run(_list(chosen_data(data), officer, of, wanted, limit=limit, json=json))


def show_item(
    officer: ActingAs,
    item_id: UUID,
    of: Of = None,
    show_bytes: Annotated[int, typer.Option("--bytes", min=0, help="How many bytes of the value to print.")] = 64,
    data: Data = None,
    json: Json = False,  # noqa: FBT002 -- a flag
) -> None:
    """Show one item: envelope, reason, sizes, fields where they can be read; sealed fields stay sealed."""
    asyncio.run(_show(chosen_data(data), officer, of, item_id, limit_bytes=show_bytes, json=json))


def redrive(
    officer: ActingAs,
    items: Items = None,
    of: Of = None,
    reason: Reason = None,
    topic: Topic = None,
    event_type: Type = None,
    since: Since = None,
    until: Until = None,
    because: Annotated[str, typer.Option(help="Why, in words; kept with the act.")] = "",
    limit: Bound = 100,
    do: Do = False,  # noqa: FBT002 -- a flag
    data: Data = None,
    json: Json = False,  # noqa: FBT002 -- a flag
) -> None:
    """Publish records again, unchanged, on their topic. Shows what it would do until `--do` is given."""
    wanted = _wanted(items, reason, topic, event_type, since, until)
    asyncio.run(_act(chosen_data(data), officer, of, wanted, _Order("redriven", because, limit, do=do), json=json))


def drop(
    officer: ActingAs,
    because: Annotated[str, typer.Option(help="Why, in words; kept with the act.")],
    items: Items = None,
    of: Of = None,
    reason: Reason = None,
    topic: Topic = None,
    event_type: Type = None,
    since: Since = None,
    until: Until = None,
    limit: Bound = 100,
    do: Do = False,  # noqa: FBT002 -- a flag
    data: Data = None,
    json: Json = False,  # noqa: FBT002 -- a flag
) -> None:
    """Mark records as left out for good; their bytes stay. Shows what it would do until `--do` is given."""
    if not because.strip():
        raise InputError("Say why with --because: an item that is dropped never takes effect.")
    wanted = _wanted(items, reason, topic, event_type, since, until)
    asyncio.run(_act(chosen_data(data), officer, of, wanted, _Order("dropped", because, limit, do=do), json=json))


@dataclass(frozen=True)
class _Order:
    """What the command line asks for."""

    action: Action
    because: str
    limit: int
    do: bool


async def _list(data: Path, officer: str, of: str | None, wanted: QuarantineFilter, *, limit: int, json: bool) -> None:
    async with look_into(data, officer, owner_of(officer, of), acting=False) as quarantine:
        items = [_row(each) for each in await list_quarantined(quarantine.database, wanted, limit=limit)]
    if json:
        for row in items:
            json_line(row)
        return
    table(f"Quarantine of {quarantine.owner}", _COLUMNS, [[row[name] for name in _COLUMNS] for row in items])


async def _show(data: Path, officer: str, of: str | None, item_id: UUID, *, limit_bytes: int, json: bool) -> None:
    async with look_into(data, officer, owner_of(officer, of), acting=False) as quarantine:
        item, record = await present(quarantine, item_id)
        row = {**_row(item), "detail": printable(item.detail), "because": printable(item.because)}
        row |= _bytes_of(record, limit_bytes=limit_bytes)
        row["data"] = await _fields(quarantine, record)
    if json:
        json_line(row)
        return
    headers, data_row, lines = row.pop("headers"), row.pop("data"), row.pop("value")
    table(f"Item {item.id}", ("", ""), list(row.items()))
    table("Envelope", ("header", "value"), [(each["name"], each["value"]) for each in headers])
    table(f"First {limit_bytes} bytes of the value", ("hexadecimal",), [[line] for line in lines])
    table("Fields", ("field", "value"), [(name, printable(str(value))) for name, value in data_row.items()])


async def _act(
    data: Path, officer: str, of: str | None, wanted: QuarantineFilter, order: _Order, *, json: bool
) -> None:
    async with look_into(data, officer, owner_of(officer, of), acting=True) as quarantine:
        items = await choose(quarantine, wanted, limit=order.limit)
        outcomes = {each.id: f"would_be_{order.action}" for each in items}
        if order.do and items:
            with progress_on() as progress:
                outcomes = await carry_out(
                    data, quarantine, items, action=order.action, because=order.because, progress=progress
                )
    rows = [{**_row(each), "outcome": outcomes[each.id]} for each in items]
    if json:
        for row in rows:
            json_line({name: row[name] for name in _DONE})
    else:
        table(f"Quarantine of {quarantine.owner}", _DONE, [[row[name] for name in _DONE] for row in rows])
    if not order.do:
        say("Nothing was changed: give --do to act.")
    elif any(each != order.action for each in outcomes.values()):
        raise typer.Exit(1)


async def _fields(quarantine: Quarantine, record: Record) -> Mapping[str, Any]:
    """Give the fields where the value can be read; else nothing."""
    async with open_reader(quarantine.settings.registry) as reader:
        try:
            event = await reader.read(record)
        except PermanentError:
            return {}
    return {name: _closed(value) for name, value in event.data.items()}


def _closed(value: Any) -> Any:
    if isinstance(value, Mapping):
        if value.keys() == _SEALED_FIELDS:
            return "sealed"
        return {name: _closed(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_closed(each) for each in value]
    return printable(value) if isinstance(value, str) else value


def _bytes_of(record: Record, *, limit_bytes: int) -> dict[str, Any]:
    value = record.value or b""
    return {
        "key": printable(record.key),
        "value_sha256": hashlib.sha256(value).hexdigest(),
        "headers_bytes": sum(len(name.encode()) + len(content) for name, content in record.headers),
        "headers": [{"name": printable(name), "value": printable(content)} for name, content in record.headers],
        "value": hexadecimal(value, limit_bytes=limit_bytes),
    }


def _row(item: QuarantinedItem) -> dict[str, Any]:
    return {
        "quarantine_id": item.id,
        "kept_at": item.kept_at,
        "reason": item.reason,
        "type": printable(item.event_type),
        "topic": item.topic,
        "partition": item.partition,
        "offset": item.offset,
        "size_bytes": item.size_bytes,
        "state": item.state,
        "acted_at": item.acted_at,
        "acted_by": item.acted_by,
        "again_of": item.again_of,
    }


def _state(text: str) -> QuarantineState | None:
    states: Mapping[str, QuarantineState | None] = {
        "waiting": "waiting",
        "redriven": "redriven",
        "dropped": "dropped",
        "all": None,
    }
    if text not in states:
        raise InputError(f"'{text}' is no state: choose one of {', '.join(states)}.")
    return states[text]


def _wanted(
    items: Sequence[UUID] | None,
    reason: str | None,
    topic: str | None,
    event_type: str | None,
    since: datetime | None,
    until: datetime | None,
    *,
    state: QuarantineState | None = "waiting",
) -> QuarantineFilter:
    return QuarantineFilter(
        ids=items or None,
        state=state,
        reason=reason,
        topic=topic,
        event_type=event_type,
        since=since.replace(tzinfo=UTC) if since else None,
        until=until.replace(tzinfo=UTC) if until else None,
    )
