"""Ports that are taken."""

from __future__ import annotations

import os
import socket

import pytest

from lienthong.stack import ports
from lienthong.stack.ports import Port, accepts, require_free_ports
from streams.errors import ConfigurationError


def test_a_taken_port_names_its_setting_and_its_holder() -> None:
    """The sentence says what to stop and what to set."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]

        with pytest.raises(ConfigurationError) as caught:
            require_free_ports([Port(number, "LIENTHONG_STACK__KAFKA_PORT")])

    message = str(caught.value)
    assert message.startswith(f"Port {number} is taken by ")
    assert f"(process {os.getpid()})" in message
    assert message.endswith("or set LIENTHONG_STACK__KAFKA_PORT to a free port.")
    assert caught.value.code == "port_taken"


def test_a_free_port_is_let_pass() -> None:
    """Nothing listens after the socket is closed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = probe.getsockname()[1]

    require_free_ports([Port(number, "ANY")])

    assert not accepts(number)


def test_a_port_that_nobody_holds_any_more_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed server's socket is closed a moment after its process ended; one that stays taken is an error."""
    free = iter([False, False, True])
    monkeypatch.setattr(ports, "_is_free", lambda _number: next(free))
    monkeypatch.setattr(ports, "_holder", lambda _number: None)

    require_free_ports([Port(1, "ANY")])

    monkeypatch.setattr(ports, "_is_free", lambda _number: False)
    monkeypatch.setattr(ports, "_CLOSING_SECONDS", 0.0)
    with pytest.raises(ConfigurationError, match="taken by another program"):
        require_free_ports([Port(1, "ANY")])
