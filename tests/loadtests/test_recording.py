"""Latencies are counted where they belong, and percentiles are what they are called."""

from itertools import chain
from random import Random

import msgspec
import pytest

from loadtests.recording import WRONG, Latencies, Recording, together

READ, FEED = ("nurse", "decision"), ("fund", "reimbursements")


def test_percentiles_are_those_of_the_sorted_answers() -> None:
    """To three digits, of a long-tailed distribution such as latencies have."""
    random = Random(1)
    times = sorted(random.lognormvariate(2, 1) for _ in range(10_000))
    latencies = Latencies()
    for time in times:
        latencies.add(time, failed=False)
    found = latencies.figures()
    exact = [times[round(10_000 * share) - 1] for share in (0.5, 0.95, 0.99, 0.999)]
    assert [found.p50, found.p95, found.p99, found.p999, found.longest] == pytest.approx([*exact, times[-1]], rel=0.002)


def test_nothing_is_too_short_or_too_long() -> None:
    """What lies outside of the histogram is kept at its ends rather than lost."""
    latencies = Latencies()
    for milliseconds in (0.0, 1e9):
        latencies.add(milliseconds, failed=False)
    assert (latencies.answers, round(latencies.figures().longest / 1_000)) == (2, 120)


def test_answers_over_a_limit_are_counted() -> None:
    """A limit between two answers parts them."""
    latencies = Latencies(digits=2)
    for milliseconds in (1.0, 2.0, 30.0, 40.0):
        latencies.add(milliseconds, failed=False)
    assert (latencies.over(10.0), latencies.over(100.0)) == (2, 0)


def test_what_processes_saw_adds_up() -> None:
    """One that recorded everything and two that recorded a half each say the same, once told and merged."""
    alone, whole = Recording(), Recording()
    halves = (Recording(), Recording())
    for number in range(1_000):
        failure = WRONG + "no" if number % 100 == 0 else None
        for recording in (alone, halves[number % 2]):
            recording.answer(READ, number // 100, number / 10, failure, warm=number > 200)
            recording.late[number // 100].add(0.5, failed=False)
    for half in halves:
        whole.merge(msgspec.msgpack.decode(msgspec.msgpack.encode(half.told())))
    assert (whole.whole().figures(), whole.sentences) == (alone.whole().figures(), alone.sentences)
    assert [whole.seconds[second].figures() for second in range(10)] == [
        alone.seconds[second].figures() for second in range(10)
    ]


def test_a_cold_answer_is_checked_and_not_timed() -> None:
    """Its failure counts, its latency is of the second alone."""
    recording = Recording()
    recording.answer(READ, 7, 900.0, "status 500", warm=False)
    assert (dict(recording.kinds), recording.seconds[7].failures, recording.sentences.total()) == ({}, 1, 1)


def test_what_is_large_is_told_by_kind_alone() -> None:
    """A feed of many lines says nothing about how long a person waits."""
    recording = Recording()
    recording.answer(FEED, 7, 900.0, None, warm=True)
    assert (recording.whole().answers, dict(recording.seconds), recording.kinds[FEED].answers) == (0, {}, 1)


def test_seconds_are_taken_together() -> None:
    """The last is excluded, and one in which nothing came is none."""
    recording = Recording()
    for second, milliseconds in chain.from_iterable([(second, 10.0)] * 5 for second in (1, 2, 4)):
        recording.answer(READ, second, milliseconds, None, warm=True)
    assert together(recording.seconds, 1, 4).answers == 10
