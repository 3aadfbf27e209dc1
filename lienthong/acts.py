"""
What officers do: order a payment block, answer what came in. Each is one signed event, queued in one transaction.

The id follows from what is said, so that saying it twice is saying it once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from connectors.postgres import InboxItem, find_item
from lienthong.agency_session import AgencySession, now, open_documents
from lienthong.directory import LiveDirectory
from lienthong.officers import officer_key
from streams.agency_store import AnswerNote
from streams.calendar import begin_of_day, vietnamese_day
from streams.errors import ForbiddenError, InputError
from streams.event import Draft, Event, stated_id
from streams.inbox import revealer
from streams.names import EventType
from streams.references import documents_in
from streams.sealing import Personal
from streams.sender import Prepared
from streams.subject import pseudonym

__all__ = ["Answer", "PaymentBlock", "answer", "order_payment_block"]

_REQUESTED = EventType("payment_block.requested")
_ANSWERED = EventType("payment_block.answered")
_SCHEMES = {"account": "vn-account", "customer": "bank-customer"}
_MEDIA_TYPES = {".pdf": "application/pdf", ".xml": "application/xml", ".p7s": "application/pkcs7-mime"}


@dataclass(frozen=True, kw_only=True)
class PaymentBlock:
    """
    A payment-block order as the officer states it; fields as in `payment_block.requested`.

    At most one of `account` and `customer` is given; with neither, the account is the one that the suspicion names, so
    that an officer need not copy it. `amount_vnd` None means the whole account.
    """

    decision_file: Path
    decision_number: str
    decision_date: date
    legal_act: str
    legal_article: str
    bank_bin: str
    account: str | None
    customer: str | None
    amount_vnd: Decimal | None
    valid_from: date
    valid_to: date | None
    reason: str | None
    suspicion: UUID | None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An officer's answer to an inbox item."""

    status: str
    reason: str | None
    amount_vnd: Decimal | None


async def order_payment_block(
    session: AgencySession, data: Path, officer: str, order: PaymentBlock
) -> tuple[Prepared, bool]:
    """
    Order a payment block.

    Returns:
        The event, and whether it is new.

    Raises:
        InputError: the order is not whole; the message says what to correct.
        ForbiddenError: the officer has no key here, or the agency may not publish it.
        TransientError: a server is away; nothing was done.
    """
    _check_order(order)
    cause = await _suspicion(session, order.suspicion) if order.suspicion else None
    document = open_documents(session.settings, session.agency).put(
        _read(order.decision_file), media_type=_media_type(order.decision_file)
    )
    kind, named = await _target(session, order, cause)
    target = pseudonym(kind, _SCHEMES[kind], f"{order.bank_bin} {named}")
    fields = {
        "target": target.as_data(),
        "seller": cause.data["seller"] if cause else None,
        "authority": session.agency,
        "signer": officer,
        "decision_number": order.decision_number,
        "decision_date": order.decision_date,
        "legal_act": order.legal_act,
        "legal_article": order.legal_article,
        "decision": document.as_data(),
        "bank_bin": order.bank_bin,
        kind: Personal(target, named),
        "extent": "full" if order.amount_vnd is None else "amount",
        "amount_vnd": order.amount_vnd,
        "valid_from": begin_of_day(order.valid_from),
        "valid_to": begin_of_day(order.valid_to) if order.valid_to else None,
        "reason": order.reason,
        "suspicion": order.suspicion,
    }
    draft = Draft(
        type=_REQUESTED,
        subject=target,
        data=fields,
        event_id=stated_id(
            _REQUESTED, session.agency, order.decision_number, order.decision_date.isoformat(), target.value
        ),
    )
    return await _publish(session, data, officer, draft, cause=cause)


async def answer(
    session: AgencySession, data: Path, officer: str, event_id: UUID, given: Answer
) -> tuple[Prepared, bool]:
    """
    Answer an item of the agency's inbox.

    Returns:
        The answering event, and whether it is new.

    Raises:
        InputError: there is no such item, nobody answers its type, or the answer is not whole.
        ForbiddenError: it was answered for good before, or the officer may not act.
        TransientError: a server is away; nothing was done.
    """
    item = await find_item(session.database, event_id)
    if item is None:
        raise InputError(f"The inbox of {session.agency} has no event {event_id}: see `lienthong inbox list`.")
    builder = _ANSWERS.get(item.event_type)
    if builder is None:
        raise InputError(f"A {item.event_type} asks officers for no answer.")
    event = await session.reader.read(item.record)
    draft = builder(event, given, officer)
    return await _publish(session, data, officer, draft, cause=event, answers=item, status=given.status)


async def _publish(
    session: AgencySession,
    data: Path,
    officer: str,
    draft: Draft,
    *,
    cause: Event | None,
    answers: InboxItem | None = None,
    status: str = "",
) -> tuple[Prepared, bool]:
    at = now()
    agency = LiveDirectory(data)().agency(session.agency)
    if not agency.may_publish(draft.type, on=vietnamese_day(at)):
        raise ForbiddenError(f"The directory does not let {session.agency} publish {draft.type}.", code="not_granted")
    prepared = await session.sender.prepare(draft, at=at, cause=cause, officer=officer_key(data, officer))
    async with session.store.transaction() as transaction:
        new = bool(await transaction.publish([prepared.row]))
        await transaction.name_documents(
            [(prepared.event.id, document.sha256) for document in documents_in(prepared.event.data)]
        )
        if answers is not None and new:
            if answers.answer_status in _FINAL:
                raise ForbiddenError(
                    f"It was answered '{answers.answer_status}' before, and that is final.", code="answered"
                )
            note = AnswerNote(request=answers.event_id, answer=prepared.event.id, status=status, at=at)
            await transaction.answer([note])
    return prepared, new


def _answer_block(request: Event, given: Answer, officer: str) -> Draft:
    if given.status not in _STATUSES:
        raise InputError(f"'{given.status}' is no status: choose one of {', '.join(_STATUSES)}.")
    if given.status in {"refused", "partly"} and not given.reason:
        raise InputError(f"Say why with --reason: an answer '{given.status}' needs one.")
    if (given.status == "partly") != (given.amount_vnd is not None) and given.status != "executed":
        raise InputError("Give --amount, the blocked amount in VND, with 'partly' (and, if known, 'executed') only.")
    return Draft(
        type=_ANSWERED,
        subject=request.subject,
        data={
            "target": request.data["target"],
            "request_id": request.id,
            "status": given.status,
            "reason": given.reason,
            "blocked_vnd": given.amount_vnd,
            "answered_by": officer,
            "bank_bin": request.data["bank_bin"],
        },
        event_id=stated_id(_ANSWERED, str(request.id), officer, given.status),
    )


_STATUSES = ("accepted", "refused", "executed", "partly", "nothing_found")
_FINAL = frozenset({"refused", "executed", "partly", "nothing_found"})
_ANSWERS: Mapping[EventType, Callable[[Event, Answer, str], Draft]] = {_REQUESTED: _answer_block}


async def _suspicion(session: AgencySession, event_id: UUID) -> Event:
    item = await find_item(session.database, event_id)
    if item is None or item.event_type != "seller.suspected":
        raise InputError(
            f"The inbox of {session.agency} has no seller.suspected {event_id}: leave --event away, or see"
            " `lienthong inbox list`."
        )
    return await session.reader.read(item.record)


async def _target(session: AgencySession, order: PaymentBlock, cause: Event | None) -> tuple[str, str]:
    """Give the kind of what is blocked, and its identifier."""
    if order.customer:
        return "customer", order.customer
    account = order.account
    if account is None and cause is not None:
        reveal = await revealer(session.keys, cause.data)
        account = reveal(cause.data.get("seller_account"))
    if account is None:
        raise InputError("Name what is blocked with --account or --customer: no event says it.")
    return "account", account


def _check_order(order: PaymentBlock) -> None:
    if order.account is not None and order.customer is not None:
        raise InputError("Name what is blocked: either --account or --customer, not both.")
    if not (order.bank_bin.isdigit() and len(order.bank_bin) == 6):  # noqa: PLR2004 -- ISO/IEC 7812 as used by NAPAS
        raise InputError(f"'{order.bank_bin}' is no bank BIN: write its six digits.")
    if order.amount_vnd is not None and (order.amount_vnd <= 0 or order.amount_vnd % 1):
        raise InputError("The amount is in Vietnamese dong: write a whole number above zero, or leave it away for all.")
    if order.valid_to is not None and order.valid_to <= order.valid_from:
        raise InputError("The block must end after it begins: correct --to or --from.")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"The decision {path} cannot be read: {error.strerror}.") from error


def _media_type(path: Path) -> str:
    try:
        return _MEDIA_TYPES[path.suffix.lower()]
    except KeyError as error:
        raise InputError(f"A decision is a {', '.join(_MEDIA_TYPES)} file; {path.name} is none.") from error
