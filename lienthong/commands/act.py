"""`lienthong act payment-block`."""

from __future__ import annotations

import asyncio
import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from lienthong.acts import PaymentBlock, order_payment_block
from lienthong.agency_session import open_agency
from lienthong.commands.options import ActingAs, Data, Json, chosen_data
from lienthong.output import json_line, say
from streams.errors import InputError
from streams.names import officer_name

__all__ = ["add_to", "amount_of"]

_AMOUNT = re.compile(r"\d{1,20}|\d{1,3}(\.\d{3}){1,6}|\d{1,3}(,\d{3}){1,6}", re.ASCII)


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Acts with legal effect, signed by an officer.")
    group.command("payment-block")(payment_block)
    group.callback()(_nothing)
    app.add_typer(group, name="act")


def payment_block(
    officer: ActingAs,
    decision_file: Annotated[Path, typer.Option(help="The written decision: PDF, XML or CMS.")],
    number: Annotated[str, typer.Option(help="The decision's number.")],
    decided: Annotated[datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="The decision's date.")],
    legal_act: Annotated[str, typer.Option("--act", help="The legal act relied on, for instance nd-52-2024.")],
    article: Annotated[str, typer.Option(help="The article relied on, for instance 11.1.b.")],
    bank_bin: Annotated[str, typer.Option(help="The bank's six-digit BIN.")],
    begins: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day of the block.")],
    ends: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Day on which it ends.")] = None,
    account: Annotated[
        str | None, typer.Option(help="The account number; the one that --event names, when left away.")
    ] = None,
    customer: Annotated[str | None, typer.Option(help="The customer's identifier at the bank.")] = None,
    amount: Annotated[str | None, typer.Option(help="Amount in VND; all of it when left away.")] = None,
    reason: Annotated[str | None, typer.Option(help="The reason as the decision states it.")] = None,
    event: Annotated[UUID | None, typer.Option(help="Id of the seller.suspected event that led to it.")] = None,
    data: Data = None,
    json: Json = False,  # noqa: FBT002 -- a flag
) -> None:
    """Order a payment block on a written decision; it travels to the State Bank branch."""
    order = PaymentBlock(
        decision_file=decision_file,
        decision_number=number,
        decision_date=decided.date(),
        legal_act=legal_act,
        legal_article=article,
        bank_bin=bank_bin,
        account=account,
        customer=customer,
        amount_vnd=amount_of(amount),
        valid_from=begins.date(),
        valid_to=_day(ends),
        reason=reason,
        suspicion=event,
    )
    asyncio.run(_payment_block(chosen_data(data), officer, order, json=json))


async def _payment_block(data: Path, officer: str, order: PaymentBlock, *, json: bool) -> None:
    agency, _ = officer_name(officer)
    async with open_agency(data, agency) as session:
        prepared, new = await order_payment_block(session, data, officer, order)
    if json:
        json_line({"event_id": prepared.event.id, "type": prepared.event.type, "new": new})
    else:
        say(f"{prepared.event.type} {prepared.event.id} is {'on its way' if new else 'known: it was ordered before'}.")


def amount_of(text: str | None) -> Decimal | None:
    """
    Read an amount in dong: digits, in groups of three by dots or by commas where one likes.

    Raises:
        InputError: it is no such number; `10.5` is none, for it could be taken for a hundred and five.
    """
    if text is not None and not _AMOUNT.fullmatch(text):
        raise InputError(f"'{text}' is no amount in dong: write digits, as in 15000000 or 15.000.000.")
    return None if text is None else Decimal(text.replace(".", "").replace(",", ""))


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _nothing() -> None:
    """Acts with legal effect, signed by an officer."""
