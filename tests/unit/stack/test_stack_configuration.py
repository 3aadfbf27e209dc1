"""The configuration the servers are started with."""

from __future__ import annotations

from pathlib import Path

import pytest

from lienthong.stack import SilentProgress, StackPlan, start_servers
from lienthong.stack.kafka import server_properties
from lienthong.stack.registry import application_properties
from lienthong.stack.server import clean_environment
from streams.errors import ConfigurationError


def test_every_server_listens_on_loopback_only(tmp_path: Path) -> None:
    """Nothing is reachable from another machine, and the registry tells strangers nothing at a second port."""
    plan = StackPlan(data=tmp_path, cache=tmp_path)
    kafka, registry = server_properties(plan), application_properties(plan)

    listeners = [listener.split("://")[1].rsplit(":")[0] for listener in kafka["listeners"].split(",")]
    assert {registry["quarkus.http.host"], *listeners} == {"127.0.0.1"}
    assert (registry["quarkus.management.host-enabled"], registry["quarkus.http.insecure-requests"]) == (
        "false",
        "disabled",
    )


def test_kafka_makes_no_topic_by_itself_and_loses_none(tmp_path: Path) -> None:
    """The two settings whose defaults would let a typo become a topic, or an event be lost."""
    properties = server_properties(StackPlan(data=tmp_path, cache=tmp_path))

    assert properties["auto.create.topics.enable"] == "false"
    assert properties["unclean.leader.election.enable"] == "false"


def test_no_variable_of_the_caller_reaches_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A QUARKUS_HTTP_PORT or CLASSPATH of somebody's shell changes nothing."""
    monkeypatch.setenv("QUARKUS_HTTP_PORT", "1")
    monkeypatch.setenv("CLASSPATH", "/x")

    assert set(clean_environment()) == {"PATH", "LC_ALL", "TZ"}


def test_a_folder_name_that_would_change_a_configuration_is_refused(tmp_path: Path) -> None:
    """A comma would make two log folders of one."""
    plan = StackPlan(data=tmp_path / "a,b", cache=tmp_path)

    with pytest.raises(ConfigurationError, match="has the character ',' in its name"):
        start_servers(plan, progress=SilentProgress())
