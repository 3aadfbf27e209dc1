"""Postal operators: numbers of parcels, the outgoing folder of alerts, the folder of scans."""

from connectors.postal.flag_document import flag_csv, flag_json
from connectors.postal.numbers import NumberCheck, check_number
from connectors.postal.outgoing import OutgoingFolder
from connectors.postal.scans import Flag, FlagLookup, ScanFolder

__all__ = [
    "Flag",
    "FlagLookup",
    "NumberCheck",
    "OutgoingFolder",
    "ScanFolder",
    "check_number",
    "flag_csv",
    "flag_json",
]
