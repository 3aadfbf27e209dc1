"""An empty environment: no variable of the caller's may decide a test."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("LIENTHONG_"):
            monkeypatch.delenv(name)
