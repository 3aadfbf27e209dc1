"""
Publishes a load and writes its history: `python publisher.py FOLDER`, with `load.json` and `window` in that folder.

A process of its own: a client in the test's process was seen to die with a broker that was killed.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaError, Message, Producer
from history import History
from load import Made, Maker, Mix

from lienthong.officers import officer_key
from lienthong.settings import agency_settings
from streams.catalogue import load_catalogue
from streams.codec import Codec
from streams.kafka import producer_settings
from streams.names import BUS
from streams.registry import ConfluentRegistry, preload_ids

__all__ = ["Publisher"]


class Publisher:
    """
    Publishes what a maker makes, and writes down what becomes of it.

    Args:
        folder: of the run; `window` in it says how many records may have been published by now.
        address: settings of the producer.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self._folder = folder
        self._history = History(folder / "history.jsonl")
        self._producer = Producer(dict(settings))
        self._sent = self._ended = 0

    def publish(self, maker: Maker, mix: Mix) -> None:
        """Publish everything and wait until all of it ended."""
        began = time.monotonic()
        for made in maker:
            self._wait(began, mix.rate)
            self._send(made)
        while self._ended < self._sent:
            self._producer.poll(0.2)
        self._history.close()

    def _wait(self, began: float, rate: float) -> None:
        self._producer.poll(0)
        if self._sent % 20 == 0:
            while self._sent >= self._window() or self._sent > (time.monotonic() - began) * rate:
                self._note()
                self._history.flush()
                self._producer.poll(0.05)

    def _window(self) -> int:
        text = (self._folder / "window").read_text(encoding="ascii")
        return int(text) if text else 0

    def _note(self) -> None:
        (self._folder / "published").write_text(f"{self._sent} {self._ended}", encoding="ascii")

    def _send(self, made: Made) -> None:
        self._history.invoke(made.operation)
        self._sent += 1
        while True:
            try:
                self._producer.produce(
                    made.operation.topic,
                    value=made.value,
                    key=made.operation.key.encode(),
                    headers=made.headers,
                    on_delivery=partial(self._end, made.operation.number),
                )
            except BufferError:
                self._producer.poll(0.1)
            else:
                return

    def _end(self, number: int, error: KafkaError | None, message: Message) -> None:
        self._ended += 1
        if error is None:
            self._history.end(number, "ok", partition=message.partition(), offset=message.offset())
        else:
            self._history.end(number, "info", error=error.str())


def main(folder: Path) -> None:
    """Publish the load that `load.json` describes."""
    order = json.loads((folder / "load.json").read_text(encoding="utf-8"))
    data, mix = Path(order["data"]), Mix(**order["mix"])
    settings = agency_settings(data, BUS)
    with ConfluentRegistry(settings.registry.address) as registry:
        catalogue = load_catalogue()
        codec = Codec(catalogue=catalogue, ids=preload_ids(registry, catalogue))
    officers = {
        "police-hanam": officer_key(data, "police-hanam/investigator"),
        "sbv-hanam": officer_key(data, "sbv-hanam/payment-desk"),
    }
    producer = {
        **producer_settings(settings.kafka.address, client_id="faults-load"),
        "log_level": 0,
    }
    Publisher(folder, producer).publish(Maker(mix, codec, officers, folder / "evolved.json"), mix)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
