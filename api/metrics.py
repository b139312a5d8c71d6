"""What Prometheus reads: how long requests take, what is decided, how many entries share a commit.

Each application has its own registry. Of several workers behind one socket, a scrape reaches any one: then they share a
folder (`PROMETHEUS_MULTIPROC_DIR`, set before prometheus_client is first imported), and each exposes the sum.
"""

from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_ENTRIES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The counts of one application; labels take few values, and none that a caller chooses."""

    def __init__(self, shared: Path | None = None) -> None:
        self._shared = shared
        self._registry = CollectorRegistry()
        self._requests = Histogram(
            "dmp_request_seconds",
            "How long answering took.",
            ("route", "method", "status"),
            registry=self._registry,
            buckets=_SECONDS,
        )
        self._decisions = Counter("dmp_decisions", "Decisions taken.", ("outcome", "rule"), registry=self._registry)
        self._batches = Histogram(
            "dmp_journal_batch_entries", "Entries in one commit.", registry=self._registry, buckets=_ENTRIES
        )
        self._refusals = Counter(
            "dmp_policy_refusals", "Policy bundles that were not taken.", ("reason",), registry=self._registry
        )
        self._publications = Counter(
            "dmp_journal_publications", "Attempts to publish the journal.", ("outcome",), registry=self._registry
        )
        self._searches = Counter(
            "dmp_antivirus_searches", "Contents searched for viruses.", ("outcome",), registry=self._registry
        )
        self._outboxes = {
            name: Gauge(f"dmp_{name}", help_, registry=self._registry, multiprocess_mode="mostrecent")
            for name, help_ in {
                "notifications_waiting": "Notifications that are to be delivered.",
                "notifications_dead": "Notifications that were given up.",
                "inquiries_waiting": "Inquiries that are to be answered.",
                "inquiries_given_up": "Inquiries that were given up.",
            }.items()
        }
        self._replica = Gauge(
            "dmp_replica_stale_seconds",
            "How far the replica is behind at most: infinity where it is not used, 0 where none is set.",
            registry=self._registry,
            multiprocess_mode="mostrecent",
        )
        self._known_requests: dict[tuple[str, str, int], Histogram] = {}
        self._known_decisions: dict[tuple[bool, str], Counter] = {}

    def observe_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """An answer, by the template of its route."""
        key = (route, method if method in _METHODS else "OTHER", status)
        child = self._known_requests.get(key)
        if child is None:
            child = self._known_requests[key] = self._requests.labels(key[0], key[1], str(status))
        child.observe(seconds)

    def count_decision(self, *, allowed: bool, rule: str, times: int = 1) -> None:
        """A decision, by the rule that made it, taken so many times at once."""
        child = self._known_decisions.get((allowed, rule))
        if child is None:
            outcome = "permitted" if allowed else "denied"
            child = self._known_decisions[allowed, rule] = self._decisions.labels(outcome, rule)
        child.inc(times)

    def count_policy_refusal(self, reason: str) -> None:
        """A policy bundle that was published and not put in force, by one of a few words."""
        self._refusals.labels(reason).inc()

    def count_journal_publication(self, outcome: str) -> None:
        """An attempt to publish the journal, by one of three words: published, failed, refused."""
        self._publications.labels(outcome).inc()

    def count_search(self, outcome: str) -> None:
        """A content searched for viruses, by one of three words: clean, infected, failed."""
        self._searches.labels(outcome).inc()

    def observe_journal_batch(self, entries: int) -> None:
        """A commit of the journal."""
        self._batches.observe(entries)

    def observe_notifications(self, waiting: int, dead: int) -> None:
        """How many wait and how many were given up, of all instances together."""
        self._outboxes["notifications_waiting"].set(waiting)
        self._outboxes["notifications_dead"].set(dead)

    def observe_inquiries(self, waiting: int, given_up: int) -> None:
        """How many wait and how many were given up, of all instances together."""
        self._outboxes["inquiries_waiting"].set(waiting)
        self._outboxes["inquiries_given_up"].set(given_up)

    def observe_replica(self, seconds: float) -> None:
        """How far the replica was behind when it was looked at, infinity if it is of no use."""
        self._replica.set(seconds)

    def exposition(self) -> bytes:
        """All of it, in Prometheus' text format."""
        if self._shared is None:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=str(self._shared))  # type: ignore[no-untyped-call]  # published without types
        return generate_latest(registry)
