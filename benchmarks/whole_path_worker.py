"""
One worker of the whole-path benchmark: the shipped one, on the benchmark's own directory.

    .venv/bin/python benchmarks/whole_path_worker.py DATA AGENCY
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import schemas
from lienthong.worker import run

__all__ = ["use_directory"]


def use_directory(data: Path) -> None:
    """Let this process read agencies from the benchmark's folder in place of the shipped ones."""
    folder = data / "bench-directory"

    def files(contract: Path = schemas.SHIPPED) -> Iterator[tuple[Path, str]]:  # noqa: ARG001 -- as the shipped one
        for path in sorted(folder.glob("*.toml")):
            yield path, path.read_text(encoding="utf-8")

    schemas.directory_files = files


if __name__ == "__main__":
    where = Path(sys.argv[1])
    use_directory(where)
    run(where, sys.argv[2])
