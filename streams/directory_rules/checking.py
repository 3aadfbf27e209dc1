"""All rules together, and what stops a start."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import schemas
from streams.agent import AgentSpec
from streams.catalogue import Catalogue
from streams.directory_rules import acts, agencies, days, flow, grants, officers
from streams.directory_rules.contract import Contract, read_contract
from streams.directory_rules.finding import Finding
from streams.errors import ConfigurationError

__all__ = ["check_contract", "check_directory", "require_sound"]

_SHOWN = 20

_RULES: tuple[Callable[[Contract], Iterator[Finding]], ...] = (
    agencies.codes_are_their_files_names,
    agencies.kinds_are_known,
    agencies.places_follow_one_another,
    agencies.successors_take_over,
    agencies.contacts_can_be_reached,
    agencies.retention_is_within_the_law,
    agencies.one_agency_runs_the_bus,
    days.entries_end_after_they_begin,
    days.entries_stay_within_their_agency,
    officers.officers_are_their_agencys,
    officers.officers_are_entered_once,
    officers.keys_are_one_desks,
    grants.types_are_in_the_catalogue,
    grants.grants_do_not_overlap,
    grants.fields_can_be_granted,
    grants.purposes_are_known,
    grants.articles_are_in_force,
    flow.answers_can_be_given,
    flow.types_go_from_somebody_to_somebody,
    flow.stateless_kinds_can_do_their_work,
    acts.names_of_the_law_come_once,
    acts.articles_are_within_their_acts,
    acts.unread_texts_are_assumptions,
)


def check_contract(contract: Contract) -> list[Finding]:
    """Find every contradiction in what could be read; pure."""
    return [finding for rule in _RULES for finding in rule(contract)]


def check_directory(
    catalogue: Catalogue,
    kinds: Mapping[str, AgentSpec],
    *,
    overlay: Path | None = None,
    contract: Path = schemas.SHIPPED,
) -> list[Finding]:
    """
    Find every contradiction in a directory, in the law and between them, the schemas and the agency kinds.

    Args:
        catalogue: the event types.
        kinds: handlers by agency kind.
        overlay: folder of the officers whom an installation added; None for none.
        contract: the folder that has `directory/` and `law/`.

    Returns:
        Errors first, then by place.
    """
    read, findings = read_contract(catalogue, kinds, overlay=overlay, contract=contract)
    found = [*findings, *check_contract(read)]
    return sorted(found, key=lambda each: (each.severity, each.place, each.code, each.en))


def require_sound(findings: Sequence[Finding]) -> None:
    """
    Refuse a directory that contradicts itself; warnings pass.

    Raises:
        ConfigurationError: there is an error among the findings; the message names them.
    """
    errors = [each for each in findings if each.severity == "error"]
    if not errors:
        return
    lines = [f"{each.place}: {each.en} {each.do_en}" for each in errors[:_SHOWN]]
    lines += [f"and {len(errors) - _SHOWN} more"] if len(errors) > _SHOWN else []
    raise ConfigurationError(
        f"The directory contradicts itself in {len(errors)} places; `lienthong directory check` shows them in "
        f"Vietnamese, too:\n" + "\n".join(lines)
    )
