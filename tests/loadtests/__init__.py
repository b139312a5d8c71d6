"""Tests of `loadtests` that need no locust: importing it would patch sockets and threads of pytest."""

from datetime import UTC, datetime

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
