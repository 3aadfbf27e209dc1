"""
TOML files that become values: directory entries, legal acts, officers.

What is wrong in a file is named by its place in it and by its kind, so that it can be told in any language.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from pydantic import AfterValidator, ValidationError
from pydantic_core import ErrorDetails

from streams.dated import Table
from streams.errors import ConfigurationError, InputError

__all__ = ["Problem", "TableError", "checked_by", "read_table"]

_Model = TypeVar("_Model", bound=Table)

_Kind = Literal["not_toml", "unknown_key", "missing_key", "wrong_value"]
_KINDS: dict[str, _Kind] = {"extra_forbidden": "unknown_key", "missing": "missing_key"}


@dataclass(frozen=True, slots=True)
class Problem:
    """
    One thing that is wrong in a file.

    Args:
        where: its place, for instance `receive[2].article`; empty for the whole file.
        kind: what kind of mistake it is.
        detail: what the reader of TOML, or of the value, says about it; never the value itself.
    """

    where: str
    kind: _Kind
    detail: str


class TableError(ConfigurationError):
    """
    A file is not what it should be.

    Args:
        file: its name, as people know it.
        problems: at least one.
    """

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        sentences = [f"{each.where or 'the file'} is wrong ({each.kind}: {each.detail})" for each in problems]
        super().__init__(
            f"{file} cannot be used: {'; '.join(sentences)}. `lienthong directory check` says what to do about each."
        )
        self.file = file
        self.problems = tuple(problems)


def read_table(model: type[_Model], file: str, text: str) -> _Model:
    """
    Read a file's text.

    Args:
        model: what it should be.
        file: its name, as people know it.
        text: with surrogates in place of bytes that are no UTF-8 (PEP 383).

    Raises:
        TableError: it is no UTF-8, no TOML, or not what the model says.
    """
    try:
        text.encode()
        return model.model_validate(tomllib.loads(text))
    except UnicodeEncodeError as error:
        raise TableError(file, [Problem("", "not_toml", "it is no UTF-8")]) from error
    except tomllib.TOMLDecodeError as error:
        raise TableError(file, [Problem("", "not_toml", str(error))]) from error
    except ValidationError as error:
        problems = [_problem(each) for each in error.errors(include_url=False, include_input=False)]
        raise TableError(file, problems) from error


def checked_by(check: Callable[[str], object]) -> AfterValidator:
    """Make a validator of a check of ours, so that its error is told with its place in the file."""

    def checked(text: str) -> str:
        try:
            check(text)
        except InputError as error:
            raise ValueError(str(error)) from error
        return text

    return AfterValidator(checked)


def _problem(error: ErrorDetails) -> Problem:
    where = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in error["loc"])
    return Problem(where.removeprefix("."), _KINDS.get(error["type"], "wrong_value"), error["msg"])
