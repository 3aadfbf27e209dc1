"""Acts, articles and purposes as grants name them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from streams.directory import load_directory
from streams.errors import ConfigurationError
from streams.law import load_law

ACT = """
[[act]]
id = "a"
title_vi = "A"
title_en = "A"
valid_from = 2024-01-01
valid_to = 2025-12-31
checked = "official"

[[act.articles]]
number = "1"
title_vi = "Điều 1"
title_en = "Article 1"
checked = "secondary"
assumption = true
valid_from = 2024-07-01
"""


def law_of(folder: Path, text: str) -> Path:
    """Write a contract with one file of law."""
    (folder / "law").mkdir()
    (folder / "law" / "acts.toml").write_text(text, encoding="utf-8")
    return folder


def test_what_grants_rest_on_has_a_title_in_both_languages() -> None:
    """Every article and purpose that the shipped directory names."""
    law = load_law()
    for agency in load_directory().agencies.values():
        for grant in agency.receive:
            basis = law.basis(grant.article)
            assert basis is not None
            assert basis.article.title_vi
            assert basis.article.title_en
            assert {law.purposes[grant.purpose].vi, law.purposes[grant.purpose].en} != {""}


def test_a_basis_is_in_force_while_both_are(tmp_path: Path) -> None:
    """The article's own first day, the act's last; either may be an assumption."""
    basis = load_law(law_of(tmp_path, ACT)).basis("a/1")

    assert basis is not None
    assert basis.days == (date(2024, 7, 1), date(2025, 12, 31))
    assert basis.assumption


@pytest.mark.parametrize("article", ["b/1", "a/2", "a/", "/1", "a", ""])
def test_what_is_not_there_is_no_basis(tmp_path: Path, article: str) -> None:
    """An unknown act, an unknown article, no article at all."""
    assert load_law(law_of(tmp_path, ACT)).basis(article) is None


@pytest.mark.parametrize(
    "text",
    [
        ACT.replace('"official"', '"rumour"'),
        ACT.replace('number = "1"', 'number = "1/2"'),
        ACT + "keep_days_max = 0",
        ACT + "rank = 1",
        '[[purpose]]\ncode = "x"\nvi = "X"',
        '[[purpose]]\ncode = "X Y"\nvi = "X"\nen = "X"',
        "[[law]]",
        "act = ",
    ],
)
def test_a_wrong_file_of_law_is_named(tmp_path: Path, text: str) -> None:
    """With the place in it."""
    with pytest.raises(ConfigurationError, match=r"acts\.toml cannot be used"):
        load_law(law_of(tmp_path, text))
