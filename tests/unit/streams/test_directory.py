"""The shipped directory is of one piece, and a wrong file is found before anything starts."""

from __future__ import annotations

import base64
import tomllib
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

import schemas
from agents import KINDS
from streams.catalogue import load_catalogue
from streams.directory import Agency, Directory, ReceiveGrant, load_directory
from streams.errors import ConfigurationError, ForbiddenError, InputError
from streams.names import AgencyCode, EventType, OfficerName, officer_name

CATALOGUE = load_catalogue()
DIRECTORY = load_directory()
AGENCIES = sorted(DIRECTORY.agencies.items())
ACTS: dict[str, dict[str, Any]] = {
    act["id"]: act for _, text in schemas.law_files() for act in tomllib.loads(text).get("act", ())
}
every_agency = pytest.mark.parametrize("agency", [agency for _, agency in AGENCIES], ids=[code for code, _ in AGENCIES])
every_grant = pytest.mark.parametrize(
    ("agency", "grant"),
    [(agency, grant) for _, agency in AGENCIES for grant in agency.receive],
    ids=[f"{code} {grant.type}" for code, agency in AGENCIES for grant in agency.receive],
)


@every_agency
def test_a_file_has_the_name_of_its_agency(agency: Agency) -> None:
    """And every file is an agency."""
    assert agency.code in {path.stem for path, _ in schemas.directory_files()}
    assert len(DIRECTORY.agencies) == len(list(schemas.directory_files()))


@every_agency
def test_an_agencys_kind_has_handlers(agency: Agency) -> None:
    """A kind that nobody wrote would leave the inbox unread; and each handler's type is received."""
    assert agency.kind in KINDS
    received = {grant.type for grant in agency.receive}
    assert {handler.event_type for handler in KINDS[agency.kind].handlers} <= received


@every_agency
def test_officers_belong_to_their_agency(agency: Agency) -> None:
    """Their names begin with its code, and no name comes twice; samples name desks, not people."""
    assert {officer_name(officer.name)[0] for officer in agency.officers} <= {agency.code}
    assert len({officer.name for officer in agency.officers}) == len(agency.officers)
    assert all(officer.public_key is None for officer in agency.officers)


@every_agency
def test_what_an_agency_publishes_is_a_type(agency: Agency) -> None:
    """Of the catalogue, and never the audit log, which the bus alone writes."""
    assert {grant.type for grant in agency.publish} <= {*CATALOGUE.types} - {"audit.recorded"}


@every_grant
def test_a_grant_names_fields_that_there_are(agency: Agency, grant: ReceiveGrant) -> None:
    """Only those that can be removed are named: the others everyone sees who receives the type at all."""
    del agency
    assert grant.fields <= CATALOGUE[grant.type].removable


@every_grant
def test_a_grant_rests_on_an_act_in_force(agency: Agency, grant: ReceiveGrant) -> None:
    """On the grant's first day and the agency's; the act is in `schemas/law`."""
    act = ACTS[grant.article.split("/", maxsplit=1)[0]]

    first = max(grant.valid_from, agency.valid_from)
    assert act["valid_from"] <= first <= act.get("valid_to", date.max)
    assert grant.purpose


@every_grant
def test_nobody_receives_what_nobody_publishes(agency: Agency, grant: ReceiveGrant) -> None:
    """Some agency may publish the type on the grant's first day or later."""
    del agency
    last = max(grant.valid_from, date(2026, 1, 1))
    assert [code for code, each in AGENCIES if each.may_publish(grant.type, on=last)]


@every_grant
def test_an_answer_can_be_given(agency: Agency, grant: ReceiveGrant) -> None:
    """What an agency owes it may publish, and it answers the type that asks; an act always asks for one somewhere."""
    if grant.answer is not None:
        assert agency.may_publish(grant.answer.type, on=grant.valid_from)
        assert grant.type == CATALOGUE[grant.answer.type].answers


def test_every_type_reaches_somebody() -> None:
    """And every act asks someone for an answer."""
    received = {grant.type for _, agency in AGENCIES for grant in agency.receive}
    asked = {grant.type for _, agency in AGENCIES for grant in agency.receive if grant.answer}

    assert set(CATALOGUE.types) - received == {"audit.recorded"}
    assert {name for name, spec in CATALOGUE.types.items() if spec.kind == "act"} <= asked


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_acts_are_dated_and_say_what_they_were_checked_against(act: dict[str, Any]) -> None:
    """What was not read in the official text is marked as an assumption."""
    assert isinstance(act["valid_from"], date)
    assert act["checked"] in {"official", "secondary"}
    assert act["checked"] == "official" or act["assumption"]
    assert act["title_vi"]
    assert act["title_en"]


def test_dates_decide_what_an_agency_may() -> None:
    """The day before the first and the day after the last, neither publishing nor receiving."""
    bank = DIRECTORY.agency("sbv-hanam")
    asked = EventType("payment_block.requested")
    ended = bank.model_copy(update={"valid_to": date(2025, 2, 28)})

    assert bank.receive_grant(asked, on=date(2024, 6, 30)) is None
    assert bank.receive_grant(asked, on=date(2024, 7, 1)) is not None
    assert ended.receive_grant(asked, on=date(2025, 2, 28)) is not None
    assert ended.receive_grant(asked, on=date(2025, 3, 1)) is None
    assert not ended.may_publish(EventType("payment_block.answered"), on=date(2025, 3, 1))
    assert not bank.may_publish(asked, on=date(2025, 1, 1))


def test_an_unknown_agency_is_named_with_those_there_are() -> None:
    """The message helps to correct it."""
    with pytest.raises(InputError, match="tax-hanam"):
        DIRECTORY.agency("nobody")


def test_an_officer_acts_only_while_in_office() -> None:
    """An unknown desk and one on another day look the same."""
    found = DIRECTORY.officer("sbv-hanam/payment-desk", on=date(2026, 1, 1))

    assert (found.role, found.key_id) == ("officer", "")
    for name, day in (("sbv-hanam/payment-desk", date(2023, 6, 30)), ("sbv-hanam/nobody", date(2026, 1, 1))):
        with pytest.raises(ForbiddenError):
            DIRECTORY.officer(name, on=day)


@pytest.fixture
def overlay(tmp_path: Path) -> Callable[..., Path]:
    """Write an officer's file as `lienthong officer add` does."""

    def write(text: str, *, name: str = "police-hanam/investigator") -> Path:
        path = tmp_path / f"{name}.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


def entry(key: bytes = bytes(32), *, name: str = "police-hanam/investigator", more: str = "") -> str:
    """Write an officer's entry."""
    text = base64.b64encode(key).decode()
    return f'name = "{name}"\nrole = "officer"\nvalid_from = 2026-01-01\npublic_key = "{text}"\n{more}'


def test_an_installations_officers_are_added(overlay: Callable[..., Path]) -> None:
    """The one with a key goes before the shipped one without; the shipped directory is left as it is."""
    directory = load_directory(overlay(entry(b"\x01" * 32)))

    officer = directory.officer("police-hanam/investigator", on=date(2026, 1, 1))
    assert (officer.public_key, officer.key_id) == (b"\x01" * 32, "01" * 8)
    before = directory.officer("police-hanam/investigator", on=date(2026, 1, 1) - timedelta(days=1))
    assert before.public_key is None
    assert load_directory(Path("/nowhere/at/all")) == DIRECTORY


@pytest.mark.parametrize(
    "text",
    [
        "name = ",
        entry(bytes(31)),
        entry(bytes(33)),
        entry(b""),
        entry().replace('"officer"', '"king"'),
        entry(name="Police/x"),
        entry(name="nobody/x"),
        entry(more="rank = 3"),
        entry().replace('public_key = "', 'public_key = "!'),
        'role = "officer"',
    ],
    ids=["TOML", "short key", "long key", "empty key", "role", "name", "agency", "unknown", "base64", "missing"],
)
def test_a_wrong_file_is_named(overlay: Callable[..., Path], text: str) -> None:
    """The program does not start, and says which file to correct."""
    with pytest.raises(ConfigurationError, match=r"investigator\.toml"):
        load_directory(overlay(text))


def test_codes_are_types_of_the_directory() -> None:
    """Agencies are found by their own code."""
    assert [AgencyCode(code) for code, _ in AGENCIES] == [agency.code for _, agency in AGENCIES]
    assert Directory(agencies={}).agencies == {}
    assert OfficerName("tax-hanam/invoice-desk") in {each.name for each in DIRECTORY.agency("tax-hanam").officers}
