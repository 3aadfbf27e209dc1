"""Contradictions in the directory, the law and the schemas, found before anything rests on them."""

from streams.directory_rules.checking import check_contract, check_directory, require_sound
from streams.directory_rules.contract import Contract, read_contract
from streams.directory_rules.finding import Finding, Place, Severity

__all__ = [
    "Contract",
    "Finding",
    "Place",
    "Severity",
    "check_contract",
    "check_directory",
    "read_contract",
    "require_sound",
]
