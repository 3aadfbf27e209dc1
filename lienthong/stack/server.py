"""What the stack must know of a server in order to start it, ask it and stop it."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lienthong.stack.plan import StackPlan
from lienthong.stack.ports import Port
from lienthong.stack.processes import Launch
from lienthong.stack.progress import Progress

__all__ = ["Server", "clean_environment", "fresh_temporary_folder", "properties_text"]

LAST_ASCII = 0x7F


def clean_environment() -> dict[str, str]:
    """
    The environment of every server: fixed.

    The caller's is not passed on: CLASSPATH, JAVA_TOOL_OPTIONS or QUARKUS_HTTP_PORT would change a server.
    """
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def fresh_temporary_folder(folder: Path) -> str:
    """
    Empty a server's own folder for temporary files.

    In the shared one a server meets what another user's left: the registry cannot start where somebody else's
    `/tmp/vertx-cache` lies.

    Returns:
        The argument that tells Java.
    """
    temporary = folder / "tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(mode=0o700)
    return f"-Djava.io.tmpdir={temporary}"


def properties_text(values: Mapping[str, str]) -> str:
    r"""
    Write a Java properties file, in ASCII: Java reads such a file as Latin-1, and a folder may be called "dữ liệu".

    >>> properties_text({"log.dirs": "/srv/dữ liệu"})
    'log.dirs=/srv/d\\u1eef li\\u1ec7u\n'
    """
    lines = []
    for key, value in values.items():
        units = value.replace("\\", "\\\\").encode("utf-16-be")
        codes = (int.from_bytes(units[i : i + 2], "big") for i in range(0, len(units), 2))
        lines.append(
            f"{key}=" + "".join(chr(code) if code <= LAST_ASCII else f"\\u{code:04x}" for code in codes) + "\n"
        )
    return "".join(lines)


@dataclass(frozen=True, kw_only=True)
class Server:
    """
    One kind of server.

    Args:
        name: its name in status, logs and records.
        address: where clients find it.
        ports: the ports it will listen on; empty for a socket.
        fetch: downloads what it is made of where absent. Called for every server that does not run before any is
            started. May take minutes. Raises ConfigurationError, TransientError.
        prepare: writes configuration and data where absent, then says how to start it. Called only when it does not
            run. May take seconds. Raises ConfigurationError, TransientError.
        recognise: tells from a command line that a process is this stack's.
        probe: really uses the server; raises TransientError while it does not answer, ConfigurationError when somebody
            else answers there. Takes at most a few seconds.
        settle: called each time it has become ready, before anybody may use it; must be idempotent.
        stop_signals: asked to stop by these, one harder than the other.
    """

    name: str
    address: Callable[[StackPlan], str]
    ports: Callable[[StackPlan], tuple[Port, ...]]
    fetch: Callable[[StackPlan, Progress], None]
    prepare: Callable[[StackPlan, Path, Progress], Launch]
    recognise: Callable[[StackPlan, Sequence[str]], bool]
    probe: Callable[[StackPlan], None]
    settle: Callable[[StackPlan], None]
    stop_signals: tuple[signal.Signals, ...]
