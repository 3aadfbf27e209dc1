"""
The law that grants rest on: acts with their articles, and purposes, as dated data.

A text that was not compared with the official one is marked as an assumption, here and wherever it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

import schemas
from streams.dated import Dated, Days, Table, common_days
from streams.table_files import read_table

__all__ = ["Act", "Article", "Basis", "Law", "LawFile", "Purpose", "load_law"]

_Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_Code = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class _Text(Dated):
    """What acts and articles have in common; `checked` says against which text it was read."""

    title_vi: _Word
    title_en: _Word
    checked: Literal["official", "secondary"]
    assumption: bool = False


class Article(_Text):
    """
    An article, or a part of one, as grants name it.

    Without days of its own it holds as long as its act. `keep_days_max` is the longest time, in days, for which a
    recipient may keep what it received by it; None where no limit is known.
    """

    number: Annotated[str, Field(pattern=r"^[A-Za-z0-9]+(\.[A-Za-z0-9]+)*$")]
    valid_from: date = date.min
    keep_days_max: Annotated[int, Field(gt=0)] | None = None


class Act(_Text):
    """A legal act: a law, a decree, a plan."""

    id: _Code
    note: str | None = None
    articles: tuple[Article, ...] = ()


class Purpose(Table):
    """What a recipient may use an event for."""

    code: _Code
    vi: _Word
    en: _Word


class LawFile(Table):
    """One file of `schemas/law`."""

    act: tuple[Act, ...] = ()
    purpose: tuple[Purpose, ...] = ()


@dataclass(frozen=True, slots=True)
class Basis:
    """
    What a grant rests on.

    Args:
        act: the act.
        article: its article.
    """

    act: Act
    article: Article

    @property
    def days(self) -> Days | None:
        """On which days both are in force; None when there is none."""
        return common_days(self.act.days, self.article.days)

    @property
    def assumption(self) -> bool:
        """Whether one of the two was not read in the official text."""
        return self.act.assumption or self.article.assumption


@dataclass(frozen=True)
class Law:
    """
    All acts and purposes.

    Args:
        acts: by id.
        purposes: by code.
    """

    acts: Mapping[str, Act]
    purposes: Mapping[str, Purpose]

    def basis(self, article: str) -> Basis | None:
        """Give the act and the article that `ACT/ARTICLE` names; None when one of them is unknown."""
        act_id, _, number = article.partition("/")
        act = self.acts.get(act_id)
        found = next((each for each in act.articles if each.number == number), None) if act else None
        return Basis(act, found) if act and found else None


def load_law(contract: Path = schemas.SHIPPED) -> Law:
    """
    Read the law of a contract.

    Args:
        contract: the folder that has `law/`.

    Raises:
        ConfigurationError: a file is wrong; the message names it.
    """
    files = [read_table(LawFile, str(path), text) for path, text in schemas.law_files(contract)]
    return Law(
        acts={act.id: act for each in files for act in each.act},
        purposes={purpose.code: purpose for each in files for purpose in each.purpose},
    )
