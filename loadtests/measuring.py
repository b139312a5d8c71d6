"""What all processes saw, as the figures of a run."""

from math import ceil

from loadtests.following import Course, Steps
from loadtests.plan import Measured, Plan, Second
from loadtests.recording import WRONG, Recording, together
from loadtests.stalls import find_stalls

_MOST_SENTENCES = 50


def measured(plan: Plan, course: Course, recording: Recording, lost: int = 0) -> Measured:
    """The figures by kind and by second, and the seconds in which something stood still; `lost` workers are told."""
    due = list(course.due())
    began = int(course.began)  # what came before belongs to another part of the run
    seconds = {second - began: each for second, each in recording.seconds.items() if second >= began}
    late = together(recording.late, min(recording.late, default=0), max(recording.late, default=0) + 1)
    whole = recording.whole().figures()
    stepping = course.stepping if isinstance(course, Steps) else None
    stalls = find_stalls(seconds, due, whole.p95, ceil(plan.warm_up_seconds)) if stepping is None else []
    return Measured(
        began=course.began,
        counted_seconds=max(1, len(due) - ceil(plan.warm_up_seconds)),
        whole=whole,
        late_p99=late.figures().p99,
        kinds=sorted((kind, each.figures()) for kind, each in recording.kinds.items()),
        seconds=[
            Second(number, due[number] if number < len(due) else 0.0, seconds[number].figures())
            for number in sorted(seconds)
        ],
        stalls=[str(stall) for stall in stalls],
        failures=[f"{said} ({times} times)" for said, times in recording.sentences.most_common(_MOST_SENTENCES)],
        failed=recording.sentences.total(),
        lost=lost,
        wrong=sum(times for said, times in recording.sentences.items() if WRONG in said),
        steps=[] if stepping is None else stepping.steps,
        best=None if stepping is None else stepping.best(),
    )
