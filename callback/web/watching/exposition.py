"""Samples as Prometheus reads them: every family with its help, in the order in which they are declared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, cast

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from callback.operations.metrics.families import ALL, OF_PBX, Family, labels_of
from callback.operations.metrics.sample import Sample, Spread

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_KINDS: Final = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily}


def written(samples: Iterable[Sample | Spread], pbx: str, node: tuple[str, str]) -> bytes:
    """Write them; `node` is its name and its role."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(samples, pbx, node))
    return generate_latest(registry)


class _Once(Collector):
    """Gives what was measured once."""

    def __init__(self, samples: Iterable[Sample | Spread], pbx: str, node: tuple[str, str]) -> None:
        self._by_family: defaultdict[str, list[Sample | Spread]] = defaultdict(list)
        for one in samples:
            self._by_family[one.family].append(one)
        self._pbx, self._node = pbx, node

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        for family in ALL:
            of = (self._pbx,) if family.name in OF_PBX else (self._pbx, *self._node)
            yield _metric(family, of, self._by_family[family.name])


def _metric(family: Family, of: Sequence[str], found: Sequence[Sample | Spread]) -> Metric:
    if family.kind == "histogram":
        spread = HistogramMetricFamily(family.name, family.means, labels=labels_of(family))
        for one in found:
            if isinstance(one, Spread):
                buckets = [*((str(bound), float(many)) for bound, many in one.within.items()), ("+Inf", one.many)]
                spread.add_metric(list(of), buckets, one.total)
        return cast("Metric", spread)
    metric = _KINDS[family.kind](family.name, family.means, labels=labels_of(family))
    for one in found:
        if isinstance(one, Sample):
            metric.add_metric([*of, *one.labels], one.value)
    return cast("Metric", metric)
