"""Findings about files that cannot be read: each mistake in the file, by its place."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

from streams.catalogue import Catalogue
from streams.directory_rules.finding import Finding, Place, error, listed
from streams.names import EventType
from streams.table_files import Problem, TableError

__all__ = ["unreadable"]

_NAME = re.compile(r"names\.(vi|en)|.*\.title_(vi|en)|purpose\[\d+\]\.(vi|en)")
_ARTICLE = re.compile(r"receive\[(\d+)\]\.article")
_KEY = re.compile(r".*public_key(\.[^.]+)*")
_LANGUAGES = {"vi": ("tiếng Việt", "Vietnamese"), "en": ("tiếng Anh", "English")}


def unreadable(wrong: TableError, text: str, catalogue: Catalogue) -> Iterator[Finding]:
    """
    Say what is wrong in a file.

    Args:
        wrong: what the reader found.
        text: the file's text.
        catalogue: the event types, which say what is personal.
    """
    for problem in wrong.problems:
        place = Place(wrong.file, problem.where)
        if problem.kind == "not_toml":
            yield _no_toml(place, problem)
        elif _NAME.fullmatch(problem.where) and problem.kind != "unknown_key":
            yield _no_name(place)
        elif (grant := _ARTICLE.fullmatch(problem.where)) and problem.kind == "missing_key":
            yield _no_article(place, _personal(tomllib.loads(text)["receive"][int(grant[1])], catalogue))
        elif problem.where in ("inbox_days", "quarantine_days"):
            yield _no_retention(place)
        elif _KEY.fullmatch(problem.where) and problem.kind == "wrong_value":
            yield _no_key(place)
        else:
            yield _plain(place, problem)


def _no_toml(place: Place, problem: Problem) -> Finding:
    return error(
        "not_toml",
        place,
        vi="Tệp không đọc được theo định dạng TOML.",
        en=f"The file cannot be read as TOML: {problem.detail}.",
        do_vi="Sửa cú pháp của tệp, hoặc chép lại tệp cũ.",
        do_en="Correct the file's syntax, or put the old file back.",
    )


def _no_name(place: Place) -> Finding:
    vi, en = _LANGUAGES[place.path[-2:]]
    return error(
        "name_missing",
        place,
        vi=f"Thiếu tên {vi}.",
        en=f"The {en} name is missing.",
        do_vi="Ghi tên bằng cả tiếng Việt và tiếng Anh.",
        do_en="Write the name in Vietnamese and in English.",
    )


def _no_article(place: Place, fields: frozenset[str]) -> Finding:
    personal = listed(fields)
    return error(
        "article_missing",
        place,
        vi=f"Quyền nhận không có căn cứ pháp lý; trường dữ liệu cá nhân được cấp: {personal}.",
        en=f"The grant rests on no article; personal fields that it gives: {personal}.",
        do_vi="Ghi `article` theo dạng VĂN-BẢN/ĐIỀU, hoặc bỏ quyền này.",
        do_en="Write `article` as ACT/ARTICLE, or take the grant out.",
    )


def _no_retention(place: Place) -> Finding:
    return error(
        "retention_not_positive",
        place,
        vi="Thời hạn lưu phải là số ngày lớn hơn không.",
        en="The retention must be a number of days above zero.",
        do_vi="Ghi số ngày, ví dụ 90.",
        do_en="Write a number of days, for instance 90.",
    )


def _no_key(place: Place) -> Finding:
    return error(
        "key_wrong",
        place,
        vi="Khóa công khai không phải 32 byte của Ed25519, mã hóa base64.",
        en="The public key is not the 32 bytes of Ed25519 in base64.",
        do_vi="Tạo lại khóa bằng `lienthong officer add`.",
        do_en="Make the key again with `lienthong officer add`.",
    )


def _plain(place: Place, problem: Problem) -> Finding:
    key = problem.where.rsplit(".", maxsplit=1)[-1]
    vi, do_vi, do_en = {
        "unknown_key": (f"Khóa '{key}' không có trong định dạng.", "Bỏ khóa này, hoặc sửa tên.", "Remove it."),
        "missing_key": (f"Thiếu khóa '{key}'.", "Bổ sung khóa này.", "Write it."),
    }.get(problem.kind, (f"Giá trị của '{key}' không dùng được.", "Sửa giá trị.", "Correct the value."))
    en = {
        "unknown_key": f"There is no key '{key}' here.",
        "missing_key": f"The key '{key}' is missing.",
    }.get(problem.kind, f"The value of '{key}' cannot be used: {problem.detail}.")
    return error(problem.kind, place, vi=vi, en=en, do_vi=do_vi, do_en=do_en)


def _personal(grant: Any, catalogue: Catalogue) -> frozenset[str]:
    """Name the personal fields of a grant that could not be read as one."""
    spec = catalogue.types.get(EventType(str(grant.get("type"))))
    fields = grant.get("fields")
    return spec.sealed & {str(each) for each in fields} if spec and isinstance(fields, list) else frozenset()
