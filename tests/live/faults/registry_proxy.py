"""A go-between before the registry, which is slow, away, or lies, as a test tells it."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from streams.registry import RegistryAddress

__all__ = ["RegistryProxy"]

_HELD = ("content-type", "accept", "authorization")


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing about clients that were killed in the middle of a request."""


class RegistryProxy:
    """
    Passes requests on to a registry.

    Args:
        address: the registry; who asks shows who it is, and is passed on as it is.

    Set `away`, `slow_seconds` and `lies` (a schema's text by id) at any time; `refused`, `slowed` and `lied` count.
    """

    def __init__(self, address: RegistryAddress) -> None:
        self._url = address.url
        self._known = replace(address, user=None).httpx()
        self.away = False
        self.slow_seconds = 0.0
        self.lies: dict[int, str] = {}
        self.refused = self.slowed = self.lied = 0
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                proxy._answer(self)

            do_GET = do_POST = do_PUT = answer  # noqa: N815 -- the base class looks for these names

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class's name
                """Print nothing."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="registry-proxy", daemon=True)

    @property
    def url(self) -> str:
        """Where clients find the registry's Confluent interface."""
        return f"http://127.0.0.1:{self._server.server_port}{urlsplit(self._url).path}"

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("content-length") or 0))
        if self.away:
            self.refused += 1
            request.close_connection = True  # as a server that died in the middle of a request
            request.connection.close()
            return
        if self.slow_seconds:
            self.slowed += 1
            time.sleep(self.slow_seconds)
        status, kind, content = self._ask(request, body)
        request.send_response(status)
        request.send_header("content-type", kind)
        request.send_header("content-length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    def _ask(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, str, bytes]:
        parts = urlsplit(self._url)
        headers = {name: request.headers[name] for name in _HELD if request.headers.get(name)}
        answer = httpx.request(
            request.command or "GET",
            f"{parts.scheme}://{parts.netloc}{request.path}",
            content=body,
            headers=headers,
            timeout=30,
            **self._known,
        )
        kind = answer.headers.get("content-type", "application/json")
        words = urlsplit(request.path).path.rsplit("/", maxsplit=2)
        if words[-2:-1] == ["ids"] and words[-1].isdecimal() and int(words[-1]) in self.lies:
            self.lied += 1
            return 200, kind, json.dumps({"schema": self.lies[int(words[-1])]}).encode()
        return answer.status_code, kind, answer.content
