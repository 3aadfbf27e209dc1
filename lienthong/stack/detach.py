"""
Start one process that outlives its starter; run as a script, for one job read from standard input.

The starter waits for this script, never for the server: so the server is nobody's child, leaves no zombie in a
long-lived starter, and a signal to the starter's terminal does not reach it. Only the standard library is imported:
the script runs with `-I -S` in a few hundredths of a second.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

__all__: list[str] = []


def main() -> int:
    """
    Start what standard input describes and print its process id.

    Returns:
        0 when it was started, 1 with a reason on standard error when the system refused.
    """
    job: dict[str, Any] = json.load(sys.stdin)
    os.umask(0o077)
    log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    account = {"user": job["uid"], "group": job["gid"], "extra_groups": []} if job["uid"] is not None else {}
    try:
        process = subprocess.Popen(
            job["argv"],
            cwd=Path(job["cwd"]),
            env=job["env"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **account,
        )
    except OSError as error:
        sys.stderr.write(f"{job['argv'][0]}: {error.strerror}")
        return 1
    sys.stdout.write(str(process.pid))
    sys.stdout.flush()
    # Without this the interpreter would warn that a child still runs: that is what we want.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
