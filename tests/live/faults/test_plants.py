"""The planted bugs fit the product as it is; whether the checker sees them is `planted.py`'s to show."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from plants import PLANTS


def test_every_bug_can_be_planted(tmp_path: Path) -> None:
    """In a process of its own, behind the failpoints, as a worker of the kit does it."""
    lines = [
        "from pathlib import Path",
        "from failpoints import set_points",
        "from plants import plant",
        f"set_points(Path({str(tmp_path)!r}), 'bus')",
        *(f"plant({name!r})" for name in PLANTS),
    ]

    ran = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )

    assert ran.stderr == ""
    assert ran.returncode == 0
