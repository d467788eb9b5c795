"""Counts and latencies of exchanges, for Prometheus; cheap enough for every request."""

from __future__ import annotations

from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable that names the directory in which each of several processes counts in files of its own."""

_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
# An operation is the first segment behind the profile, which a client chooses: names beyond this many are counted together.
_OPERATIONS = 64


class Exposition(Protocol):
    """What the admin listener shows."""

    def exposition(self) -> tuple[str, bytes]:
        """Content type and text of everything counted so far."""


class SharedMetrics:
    """What all processes that were started with :data:`SHARED` have counted, added up; those that ended, too."""

    def __init__(self, directory: str) -> None:
        self._registry = CollectorRegistry()
        MultiProcessCollector(self._registry, directory)  # type: ignore[no-untyped-call]

    def exposition(self) -> tuple[str, bytes]:
        """Content type and text of everything counted so far."""
        return CONTENT_TYPE_LATEST, generate_latest(self._registry)


class Metrics:
    """What this process counts. ``count`` looks labels up once for each combination: making a labelled child costs more than counting."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "privca_requests", "Exchanges answered", ("protocol", "operation", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "privca_request_seconds",
            "From the complete request to the reply",
            ("protocol", "operation"),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._operations: set[str] = set()

    def count(self, protocol: str, operation: str, status: int, seconds: float) -> None:
        """One exchange."""
        children = self._children.get((protocol, operation, status))
        if children is None:
            children = self._child(protocol, operation, status)
        children[0].inc()
        children[1].observe(seconds)

    def exposition(self) -> tuple[str, bytes]:
        """Content type and text of everything counted so far."""
        return CONTENT_TYPE_LATEST, generate_latest(self.registry)

    def _child(self, protocol: str, operation: str, status: int) -> tuple[Counter, Histogram]:
        name = operation if operation in self._operations or len(self._operations) < _OPERATIONS else "other"
        if len(name) > 32:
            name = "other"
        self._operations.add(name)
        children = (
            self._requests.labels(protocol, name, str(status)),
            self._seconds.labels(protocol, name),
        )
        if len(self._children) < 16 * _OPERATIONS:
            self._children[protocol, operation, status] = children
        return children
