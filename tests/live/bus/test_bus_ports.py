"""What listens, and what it tells somebody who does not log in."""

from __future__ import annotations

import socket
import ssl
import struct

import httpx
import psutil
import pytest
from province import Province

from lienthong.stack import server_status

pytestmark = pytest.mark.live

_METADATA, _API_VERSIONS = 3, 18
_SECONDS = 20.0


def _listening(pid: int) -> set[tuple[str, int]]:
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return {
        tuple(each.laddr)
        for process in processes
        for each in process.net_connections(kind="tcp")
        if each.status == psutil.CONN_LISTEN
    }


def _servers(province: Province) -> dict[str, set[tuple[str, int]]]:
    found = {each.service: _listening(each.pid or 0) for each in server_status(province.plan)}
    return {name: {(host.removeprefix("::ffff:"), port) for host, port in places} for name, places in found.items()}


def test_servers_listen_where_the_plan_says_and_nowhere_else(province: Province) -> None:
    """On loopback alone; the database on no port at all."""
    plan = province.plan
    kafka = {plan.kafka_port, plan.kafka_broker_port, plan.kafka_controller_port}

    assert _servers(province) == {
        "kafka": {("127.0.0.1", port) for port in kafka},
        "registry": {("127.0.0.1", plan.registry_port)},
        "postgres": set(),
    }


def _request(kind: int) -> bytes:
    body = struct.pack(">hhih", kind, 0, 1, 7) + b"nobody." + (struct.pack(">i", 0) if kind == _METADATA else b"")
    return len(body).to_bytes(4, "big") + body


def _answer(channel: socket.socket, sent: bytes) -> bytes:
    """Send something and give what comes back until the other side hangs up."""
    channel.settimeout(_SECONDS)
    try:
        channel.sendall(sent)
        return channel.recv(4096)
    except (ConnectionError, ssl.SSLError):
        return b""


def _tls(province: Province) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=province.plan.ca_file)


def test_kafka_tells_clients_without_a_login_nothing(province: Province) -> None:
    """Neither in the clear nor by TLS; only which requests it knows, which every client must ask before it logs in."""
    plan = province.plan
    for port in (plan.kafka_port, plan.kafka_broker_port, plan.kafka_controller_port):
        with socket.create_connection(("127.0.0.1", port), timeout=_SECONDS) as plain:
            assert b"localhost" not in _answer(plain, _request(_METADATA))
    with (
        socket.create_connection(("127.0.0.1", plan.kafka_port), timeout=_SECONDS) as plain,
        _tls(province).wrap_socket(plain, server_hostname="localhost") as channel,
    ):
        assert _answer(channel, _request(_API_VERSIONS))
    with (
        socket.create_connection(("127.0.0.1", plan.kafka_port), timeout=_SECONDS) as plain,
        _tls(province).wrap_socket(plain, server_hostname="localhost") as channel,
    ):
        assert _answer(channel, _request(_METADATA)) == b""


def test_the_nodes_listeners_want_a_certificate(province: Province) -> None:
    """TLS alone is not enough there, and no TLS is older than 1.3."""
    plan = province.plan
    for port in (plan.kafka_broker_port, plan.kafka_controller_port):
        with (
            socket.create_connection(("127.0.0.1", port), timeout=_SECONDS) as plain,
            _tls(province).wrap_socket(plain, server_hostname="localhost") as channel,
        ):
            assert _answer(channel, _request(_API_VERSIONS)) == b""
    old = _tls(province)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    for port in (plan.kafka_port, plan.kafka_broker_port, plan.registry_port):
        with (
            socket.create_connection(("127.0.0.1", port), timeout=_SECONDS) as plain,
            pytest.raises((ssl.SSLError, ConnectionError)),
        ):
            old.wrap_socket(plain, server_hostname="localhost")


def test_the_registry_tells_nobody_anything_without_a_login(province: Province) -> None:
    """Not even its name or version."""
    root = f"https://localhost:{province.plan.registry_port}"
    with httpx.Client(verify=_tls(province), trust_env=False, timeout=_SECONDS) as client:
        for path in ("/", "/apis", "/apis/registry/v3/system/info", "/apis/ccompat/v7/subjects", "/health", "/q/dev"):
            answer = client.get(root + path)
            assert (path, answer.status_code, answer.text) == (path, 401, "")
