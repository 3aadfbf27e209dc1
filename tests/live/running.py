"""Real servers for a test session or a module: on free ports, in a folder of their own."""

from __future__ import annotations

import base64
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lienthong.stack import SilentProgress, StackPlan, default_cache, ensure_readers, start_servers, stop_servers
from streams.directory import load_directory
from streams.errors import ConfigurationError, TransientError
from streams.names import BUS

__all__ = ["running_servers"]


@contextmanager
def running_servers() -> Iterator[StackPlan]:
    """Run Kafka, the registry and PostgreSQL; stop them at the end."""
    with (
        pytest.MonkeyPatch.context() as patch,
        tempfile.TemporaryDirectory(prefix="lienthong-test-", ignore_cleanup_errors=True) as folder,
    ):
        for name in [each for each in os.environ if each.startswith("LIENTHONG_")]:
            patch.delenv(name)  # a person's own settings must not lead a test to a person's own stack
        plan = StackPlan.on_free_ports(Path(folder) / "data", default_cache())
        plan.kafka_folder.mkdir(parents=True, mode=0o700)
        # One id in 64 begins with a hyphen, which Kafka's command line once took for an option: here every one does.
        (plan.kafka_folder / "cluster-id").write_text(base64.urlsafe_b64encode(b"\xf8" * 16).decode().rstrip("="))
        ensure_readers(plan, [BUS, *load_directory().agencies])
        try:
            start_servers(plan, progress=SilentProgress())
        except (ConfigurationError, TransientError) as error:
            stop_servers(plan)
            if "CI" in os.environ or "Maven" not in str(error):
                raise
            pytest.skip(str(error))
        yield plan
        stop_servers(plan)
