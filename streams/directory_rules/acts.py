"""Rules about the law's own data: names that come once, articles within their acts, assumptions that are said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from streams.dated import common_days
from streams.directory_rules.contract import Contract
from streams.directory_rules.finding import Finding, Place, days_en, days_vi, error
from streams.law import Act, Article

__all__ = ["articles_are_within_their_acts", "names_of_the_law_come_once", "unread_texts_are_assumptions"]


def names_of_the_law_come_once(contract: Contract) -> Iterator[Finding]:
    """No act, article or purpose is entered twice: which one would hold?"""
    met: set[tuple[str, str]] = set()
    for place, kind, name in _names(contract):
        if (kind, name) in met:
            yield error(
                "law_twice",
                place,
                vi=f"'{name}' được ghi hai lần.",
                en=f"'{name}' is entered twice.",
                do_vi="Bỏ một mục.",
                do_en="Take one of them out.",
            )
        met.add((kind, name))


def articles_are_within_their_acts(contract: Contract) -> Iterator[Finding]:
    """An article with days of its own is in force only while its act is."""
    for place, act, article in _articles(contract):
        begins_early = article.valid_from != date.min and article.valid_from < act.valid_from
        ends_late = article.valid_to != date.max and article.valid_to > act.valid_to
        if begins_early or ends_late or common_days(act.days, article.days) is None:
            yield error(
                "article_outside",
                place,
                vi=f"Điều {article.number} có hiệu lực {days_vi(article.days)}; văn bản {days_vi(act.days)}.",
                en=f"Article {article.number} is in force {days_en(article.days)}, its act {days_en(act.days)}.",
                do_vi="Sửa ngày của điều, hoặc của văn bản.",
                do_en="Correct the days of the article, or of the act.",
            )


def unread_texts_are_assumptions(contract: Contract) -> Iterator[Finding]:
    """What was not compared with the official text says so."""
    acts = [(place, act) for place, act in _acts(contract)]
    texts = [*acts, *((place, article) for place, _, article in _articles(contract))]
    for place, text in texts:
        if text.checked != "official" and not text.assumption:
            yield error(
                "assumption_missing",
                place,
                vi="Chưa đối chiếu với bản chính thức mà không ghi là giả định.",
                en="It was not compared with the official text and is not marked as an assumption.",
                do_vi='Ghi `assumption = true`, hoặc đối chiếu rồi ghi `checked = "official"`.',
                do_en='Write `assumption = true`, or compare it and write `checked = "official"`.',
            )


def _acts(contract: Contract) -> Iterator[tuple[Place, Act]]:
    for place, each in contract.law_files:
        yield from ((place.at(f"act[{index}]"), act) for index, act in enumerate(each.act))


def _articles(contract: Contract) -> Iterator[tuple[Place, Act, Article]]:
    for place, act in _acts(contract):
        yield from ((place.at(f"articles[{index}]"), act, each) for index, each in enumerate(act.articles))


def _names(contract: Contract) -> Iterator[tuple[Place, str, str]]:
    for place, act in _acts(contract):
        yield place.at("id"), "act", act.id
    for place, act, article in _articles(contract):
        yield place.at("number"), "article", f"{act.id}/{article.number}"
    for place, each in contract.law_files:
        for index, purpose in enumerate(each.purpose):
            yield place.at(f"purpose[{index}].code"), "purpose", purpose.code
