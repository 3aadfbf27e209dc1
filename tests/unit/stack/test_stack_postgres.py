"""PostgreSQL's folders and rules, without a server."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from lienthong.stack import StackPlan, postgres
from lienthong.stack.postgres_account import Account
from streams.errors import ConfigurationError

ME = Account(uid=os.getuid(), gid=os.getgid(), names=("root", "weird user"))


@pytest.fixture
def plan(tmp_path: Path) -> StackPlan:
    """A plan whose folders for PostgreSQL exist."""
    plan = StackPlan(data=tmp_path / "d", cache=tmp_path)
    (plan.postgres_folder / "data").mkdir(parents=True)
    plan.run.mkdir()
    return plan


def test_another_major_version_is_not_touched(plan: StackPlan) -> None:
    """The sentence says both ways out."""
    (plan.postgres_folder / "data" / "PG_VERSION").write_text("17\n")

    with pytest.raises(ConfigurationError, match=r"made by PostgreSQL 17 and this is 18: .*pg_dump.*LIENTHONG_DATA"):
        postgres._check_version(plan)


def test_access_rules_trust_nobody(plan: StackPlan) -> None:
    """Peer for the superuser, a password for all others, names quoted."""
    postgres._write_access_rules(plan, ME)

    rules = (plan.postgres_folder / "data" / "pg_hba.conf").read_text()
    users = (plan.postgres_folder / "data" / "pg_ident.conf").read_text()
    assert rules == "local all postgres peer map=lienthong\nlocal all all scram-sha-256\n"
    assert users == 'lienthong "root" postgres\nlienthong "weird user" postgres\n'


def test_a_long_folder_gets_a_short_private_socket_folder(tmp_path: Path) -> None:
    """A new one at each start, the old one removed, and clients are told."""
    plan = StackPlan(data=tmp_path / ("x" * 90), cache=tmp_path)
    plan.run.mkdir(parents=True)

    first = postgres._socket_folder(plan, ME)
    second = postgres._socket_folder(plan, ME)
    try:
        assert len(os.fsencode(second)) < 60
        assert not first.exists()
        assert plan.postgres_socket == second
        assert stat.S_IMODE(second.stat().st_mode) == 0o700
    finally:
        second.rmdir()


def test_root_opens_only_the_way_to_the_data_folder(tmp_path: Path) -> None:
    """Its group may pass through the data folder; folders above may be passed, not listed; programs can be read."""
    data, programs = tmp_path / "up" / "data", tmp_path / "wheel" / "bin"
    data.mkdir(parents=True)
    programs.mkdir(parents=True)
    (programs / "postgres").write_text("")
    (programs / "postgres").chmod(0o700)
    for folder in (data, data.parent, programs, programs.parent):
        folder.chmod(0o700)

    ME.let_through(data, programs)

    modes = [stat.S_IMODE(path.stat().st_mode) for path in (data, data.parent, programs / "postgres")]
    assert modes == [0o710, 0o701, 0o705]
