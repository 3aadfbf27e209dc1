"""
Every error of the project, as one tree.

    LienThongError
    ├── PermanentError          trying again changes nothing: refuse, or quarantine
    │   ├── InputError          what somebody gave us is wrong; the message says how to mend it
    │   ├── ConfigurationError  a setting, a file of the directory or a schema is wrong: the program does not start
    │   ├── ForbiddenError      the directory does not grant it (to an outsider the same as "does not exist")
    │   ├── UndecodableError    bytes that are no event of ours
    │   └── UnstorableError     the database has no place for a value
    └── TransientError          a server is away: wait, try again, lose nothing

The class alone tells the caller what to do. `code` is stable and goes to quarantine records, audit entries and
`--json` output; the message is a sentence for people that says what to do next.
"""

from __future__ import annotations

__all__ = [
    "ConfigurationError",
    "ForbiddenError",
    "InputError",
    "LienThongError",
    "PermanentError",
    "TransientError",
    "UndecodableError",
    "UnstorableError",
]


class LienThongError(Exception):
    """
    The root of the tree.

    Args:
        message: a sentence that says what is wrong and what to do.
        code: stable, lower case with underscores; None takes the class's own.
    """

    code = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class PermanentError(LienThongError):
    """Trying again changes nothing."""

    code = "permanent"


class InputError(PermanentError):
    """What somebody gave us is wrong: a file, an argument, an answer."""

    code = "bad_input"


class ConfigurationError(PermanentError):
    """A setting, a directory entry or a schema is wrong; the program does not start."""

    code = "configuration"


class ForbiddenError(PermanentError):
    """The directory does not grant it; an outsider cannot tell it from something that does not exist."""

    code = "forbidden"


class UndecodableError(PermanentError):
    """The bytes are no event of ours: no magic byte, unknown schema id, or not what the schema says."""

    code = "undecodable"


class UnstorableError(PermanentError):
    """The database has no place for a value, such as a zero byte in a text."""

    code = "database_value"


class TransientError(LienThongError):
    """A server is away or busy; the same call may go through later and nothing has been done yet."""

    code = "unavailable"
