"""
A histogram of seconds that takes a whole batch at once.

prometheus-client's own takes one value a call, with a lock and a walk over its buckets; at thousands of events a second
that is more than what it measures is worth. Values are added on the event loop only, and read by whoever scrapes: a
scrape in the middle of an addition may see half of it, and the next one sees the rest.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.registry import Collector

__all__ = ["Tally", "TallyRow"]


class TallyRow:
    """One histogram: what was counted under one set of label values."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, seconds: Iterable[float]) -> None:
        """Count values; one below zero, which a sender's clock can cause, counts as zero."""
        counts, bounds = self._counts, self._bounds
        for each in seconds:
            value = max(each, 0.0)
            counts[bisect_left(bounds, value)] += 1
            self._sum += value

    def buckets(self) -> tuple[list[tuple[str, float]], float]:
        """Give cumulative counts by upper bound, as Prometheus wants them, and the sum."""
        names = [*map(str, self._bounds), "+Inf"]
        return list(zip(names, map(float, accumulate(self._counts)), strict=True)), self._sum


class Tally(Collector):
    """
    A metric: histograms of the same meaning by their labels. One that nothing was added to is absent.

    Args:
        name: as Prometheus shows it; ends in `_seconds`.
        documentation: one sentence.
        labels: names of the labels.
        bounds: upper bounds of the buckets, ascending.
        registry: where it is registered.
    """

    def __init__(
        self, name: str, documentation: str, labels: Sequence[str], bounds: Sequence[float], registry: CollectorRegistry
    ) -> None:
        self._name, self._documentation, self._labels = name, documentation, tuple(labels)
        self._bounds = tuple(bounds)
        self._rows: dict[tuple[str, ...], TallyRow] = {}
        registry.register(self)

    def row(self, *values: str) -> TallyRow:
        """Give the histogram of these label values; look it up once and keep it where it matters."""
        row = self._rows.get(values)
        if row is None:
            row = self._rows[values] = TallyRow(self._bounds)
        return row

    def describe(self) -> Iterator[HistogramMetricFamily]:
        """Give the metric without values, so that its name is taken."""
        yield self._family()

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Give the metric."""
        family = self._family()
        for values, row in list(self._rows.items()):
            buckets, total = row.buckets()
            family.add_metric(values, buckets, total)
        yield family

    def _family(self) -> HistogramMetricFamily:
        return HistogramMetricFamily(self._name, self._documentation, labels=self._labels)
