"""
The demo's script: files in, rules, suspicion, block, answers, parcels, sightings; then a table of what travelled.

Officers are played by the same commands that people type, and each is printed before it runs. Everything is
deterministic by what it is about, so a second run finds it done and changes nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import sys
from collections.abc import Awaitable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from lienthong.demo.report import report
from lienthong.demo.stage import Stage
from lienthong.output import say
from lienthong.samples import DECISION_NUMBER, SampleSet, write_decision, write_samples, write_scans
from lienthong.settings import agency_settings
from lienthong.stack.private_files import make_private_folder, write_private
from streams.errors import PermanentError

__all__ = ["play"]

_INVESTIGATOR, _PAYMENT_DESK = "police-hanam/investigator", "sbv-hanam/payment-desk"
_POST = "post-hanam"
_SEED = 389
_BLOCK_DAYS = 90


async def play(data: Path, *, today: date, patience_seconds: float, json_lines: bool) -> None:
    """
    Play the demo on an installation that is up.

    Args:
        data: its folder.
        today: the day on which the sample set is made, when there is none yet.
        patience_seconds: how long nothing may change before the demo gives up.
        json_lines: print the table as JSON Lines.

    Raises:
        WaitingError: somebody did not do their part; the message names them.
        PermanentError: a command was refused.
    """
    as_of, samples, decision = _sample_set(data, today)
    async with Stage(data, patience_seconds) as stage:
        begun = asyncio.get_running_loop().time()
        await _step("every worker joins its group", stage.until("every worker at work", stage.at_work))
        await _officers(data)
        await _ingest(data, samples)
        await _step(
            "the tax office's findings lead to a suspicion", stage.until("a suspicion", lambda: _suspected(stage))
        )
        await _step("everything so far is delivered", stage.until("delivery", stage.settled))
        await _block(stage, data, samples, decision, as_of)
        await _scan(stage, data, samples, as_of)
        await _step("everything is delivered and answered", stage.until("delivery", stage.settled))
        await report(stage, seconds=asyncio.get_running_loop().time() - begun, json_lines=json_lines)


def _sample_set(data: Path, today: date) -> tuple[date, SampleSet, Path]:
    """Write the sample set; the day of the first run is kept, so that a second run makes the same bytes."""
    folder = make_private_folder(data / "demo")
    note = folder / "as_of"
    if not note.is_file():
        write_private(note, today.isoformat())
    as_of = date.fromisoformat(note.read_text(encoding="utf-8"))
    return as_of, write_samples(folder / "einvoices", seed=_SEED, as_of=as_of), write_decision(folder)


async def _officers(data: Path) -> None:
    for officer in (_INVESTIGATOR, _PAYMENT_DESK):
        await _type(data, "officer", "add", officer)


async def _ingest(data: Path, samples: SampleSet) -> None:
    rows = await _type(data, "ingest", "einvoice", str(samples.folder))
    outcomes: dict[str, int] = {}
    for row in rows:
        outcomes[row["outcome"]] = outcomes.get(row["outcome"], 0) + 1
    findings = sum(len(row["findings"]) for row in rows)
    counted = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    say(f"  {len(rows)} files: {counted}; {findings} findings")


async def _suspected(stage: Stage) -> bool:
    return bool(await stage.events("seller.suspected"))


async def _block(stage: Stage, data: Path, samples: SampleSet, decision: Path, as_of: date) -> None:
    suspicion = (await stage.events("seller.suspected"))[0]["event_id"]
    order = {
        "--as": _INVESTIGATOR,
        "--event": str(suspicion),
        "--decision-file": str(decision),
        "--number": DECISION_NUMBER,
        "--date": as_of.isoformat(),
        "--act": "nd-52-2024",
        "--article": "11.1",
        "--bank-bin": samples.bank_bin,
        "--from": as_of.isoformat(),
        "--to": (as_of + timedelta(days=_BLOCK_DAYS)).isoformat(),
    }
    await _type(data, "act", "payment-block", *_flat(order))
    await _step("the order reaches the State Bank branch", stage.until("delivery of the order", stage.settled))
    for item in await _type(data, "inbox", "list", "--as", _PAYMENT_DESK):
        for status in ("accepted", "executed"):
            await _type(data, "inbox", "answer", item["event_id"], "--as", _PAYMENT_DESK, "--status", status)


async def _scan(stage: Stage, data: Path, samples: SampleSet, as_of: date) -> None:
    postal = agency_settings(data, _POST).postal
    if postal is None:
        raise PermanentError(f"{_POST} has no folders: run `lienthong provision`.")
    flags = len(samples.parcels)

    async def flagged() -> bool:
        return len(list(postal.outgoing.glob("*.json"))) >= flags

    async def sighted() -> bool:
        return len(await stage.events("shipment.sighted")) >= flags

    await _step(f"{flags} parcel alerts reach the postal operator's folder", stage.until("the alerts", flagged))
    scans = write_scans(data / "demo", samples.parcels, as_of)
    say(f"\n  The postal operator's scanners leave {scans.name} in {postal.scans}")
    scans.replace(postal.scans / scans.name)
    await _step(f"{flags} sightings come back", stage.until("the sightings", sighted))


async def _step(what: str, waiting: Awaitable[None]) -> None:
    say(f"\n… {what}")
    await waiting


async def _type(data: Path, *words: str) -> Sequence[Mapping[str, Any]]:
    """Print a command, run it, and give its JSON Lines."""
    say(f"\n$ lienthong {shlex.join(words)}")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "lienthong",
        *words,
        "--json",
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "LIENTHONG_DATA": str(data)},
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise PermanentError(f"The command ended with {process.returncode}; see what it said above.")
    return [json.loads(line) for line in output.splitlines()]


def _flat(options: Mapping[str, str]) -> list[str]:
    return [word for pair in options.items() for word in pair]
