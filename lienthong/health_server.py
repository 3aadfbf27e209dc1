"""
What a worker answers on HTTP: `/livez`, `/readyz`, `/metrics` and `/agents`.

A thread of its own answers, so that a worker whose event loop hangs is still heard. It is bound to loopback unless a
setting says otherwise: whoever can reach it can read it.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from lienthong.health import Health
from streams.errors import ConfigurationError

__all__ = ["HealthServer", "serve"]

_CLIENT_SECONDS = 5.0
_LOOK_SECONDS = 0.5
"""How often the server looks whether it is to close."""

_Answer = tuple[int, str, bytes]
_Answers = Mapping[str, Callable[[str], _Answer]]


def serve(health: Health, registry: CollectorRegistry, *, host: str, port: int) -> HealthServer:
    """
    Answer on a port until the process ends, or the server is closed.

    Args:
        health: asked for `/livez` and `/readyz`.
        registry: shown as `/metrics`.
        host: an address of this machine.
        port: 0 for a free one.

    Raises:
        ConfigurationError: the port is taken, or the address is not this machine's.
    """
    try:
        server = HealthServer((host, port), _answers(health, registry))
    except OSError as error:
        raise ConfigurationError(
            f"Metrics cannot be shown at {host}:{port} ({error.strerror}): set metrics_host or metrics_port."
        ) from error
    threading.Thread(target=server.serve_forever, args=(_LOOK_SECONDS,), name="health", daemon=True).start()
    return server


def _answers(health: Health, registry: CollectorRegistry) -> _Answers:
    """Give what is answered to each path, by the client's `Accept`."""

    def livez(_accept: str) -> _Answer:
        why = health.why_not_live()
        return _json(200 if why is None else 503, {"live": why is None, "why": why})

    def readyz(_accept: str) -> _Answer:
        found = health.not_ready()
        return _json(503 if found else 200, {"ready": not found, "not_ready": found})

    def metrics(accept: str) -> _Answer:
        encode, kind = choose_encoder(accept)
        return 200, kind, encode(registry)

    def agents(_accept: str) -> _Answer:
        return _json(200, health.agents())

    return {"/livez": livez, "/readyz": readyz, "/metrics": metrics, "/agents": agents}


def _json(status: int, body: Mapping[str, object]) -> _Answer:
    return status, "application/json", json.dumps(body).encode() + b"\n"


class HealthServer(ThreadingHTTPServer):
    """
    Answers in threads of its own.

    Args:
        address: host and port.
        answers: what is answered to each path.
    """

    daemon_threads = True

    def __init__(self, address: tuple[str, int], answers: _Answers) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.answers = answers
        super().__init__(address, _Handler)

    @property
    def address(self) -> str:
        """HOST:PORT."""
        return f"{self.server_address[0]!s}:{self.server_address[1]}"

    def close(self) -> None:
        """Answer no more."""
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing about a client that went away."""


class _Handler(BaseHTTPRequestHandler):
    server: HealthServer
    server_version = "lienthong"
    sys_version = ""
    timeout = _CLIENT_SECONDS

    def do_GET(self) -> None:
        answer = self.server.answers.get(self.path.partition("?")[0])
        if answer is None:
            self.send_error(404)
            return
        status, kind, body = answer(self.headers.get("Accept", ""))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the library's signature
        """Write nothing: a probe every few seconds is no event."""
