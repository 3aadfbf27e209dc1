"""Who may do what on Kafka."""

from __future__ import annotations

from datetime import date

import pytest

from streams.catalogue import Catalogue, load_catalogue
from streams.directory import Directory, load_directory
from streams.names import BUS, AgencyCode
from streams.rights import AccessRule, access_rules, quotas

DAY = date(2026, 11, 24)
TAX = AgencyCode("tax-hanam")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """The shipped types."""
    return load_catalogue()


@pytest.fixture(scope="module")
def directory() -> Directory:
    """The shipped agencies."""
    return load_directory()


def _names(rules: frozenset[AccessRule], principal: str, operation: str) -> set[str]:
    return {each.name for each in rules if (each.principal, each.operation) == (principal, operation)}


def test_an_agency_reads_its_inbox_and_writes_what_it_may_publish(catalogue: Catalogue, directory: Directory) -> None:
    """And nothing else of anybody's."""
    rules = access_rules(catalogue, directory, on=DAY)

    assert _names(rules, TAX, "READ") == {"lt.tax-hanam", "lt.inbox.tax-hanam"}
    published = {"lt.einvoice.received", "lt.einvoice.anomaly_detected"}
    assert _names(rules, TAX, "WRITE") == published | {"lt.inbox.tax-hanam", "lt.quarantine.tax-hanam"}


def test_nobody_but_the_bus_writes_the_audit_log_or_an_inbox_of_another(
    catalogue: Catalogue, directory: Directory
) -> None:
    """What the bus alone vouches for."""
    rules = access_rules(catalogue, directory, on=DAY)

    for rule in rules:
        if rule.operation == "WRITE" and rule.principal != BUS:
            assert rule.name != "lt.audit"
            assert not rule.name.startswith("lt.inbox.") or rule.name == f"lt.inbox.{rule.principal}"
            assert not rule.name.startswith("lt.quarantine.") or rule.name == f"lt.quarantine.{rule.principal}"
    assert not [each for each in rules if "*" in each.name]


def test_rights_end_with_the_grant_and_with_the_agency(catalogue: Catalogue, directory: Directory) -> None:
    """An agency that has not begun has none; the bus may still hand it what is on its way."""
    before = access_rules(catalogue, directory, on=date(2023, 6, 30))
    assert {each.principal for each in before} == {BUS}
    tax = directory.agencies[TAX]
    ended = tax.model_copy(
        update={"publish": tuple(each.model_copy(update={"valid_to": date(2024, 1, 1)}) for each in tax.publish)}
    )
    rules = access_rules(catalogue, Directory({TAX: ended}), on=DAY)

    assert _names(rules, TAX, "WRITE") == {"lt.inbox.tax-hanam", "lt.quarantine.tax-hanam"}


def test_every_agency_has_a_quota_and_the_bus_has_none(directory: Directory) -> None:
    """For everybody waits for the bus."""
    assert quotas(directory).keys() == directory.agencies.keys()
