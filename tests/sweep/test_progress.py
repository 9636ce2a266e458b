"""What a sweep shows: the time that is left, many jobs, names of list-valued settings."""

import io

from rich.console import Console

from mlp.runs import RunRecord
from mlp.sweep.composer import PlannedJob
from mlp.sweep.plan import Plan
from mlp.sweep.progress import MANY_JOBS, SweepProgress
from mlp.sweep.worker import ChildResult
from tests.records import RUN


def job(key: str) -> PlannedJob:
    return PlannedJob(key, f"lr={key}", {}, [], {}, "", "val/loss")


def shown() -> tuple[SweepProgress, io.StringIO]:
    text = io.StringIO()
    progress = SweepProgress(Console(file=text))
    jobs = [job(key) for key in "abcdef"]
    progress.show_plan(Plan("6 jobs", {}, jobs, 0, "", jobs[0]), {}, "2 at a time")
    return progress, text


def test_time_left_is_the_mean_time_of_the_jobs_left_shared_by_those_at_once():
    progress, text = shown()
    with progress.live(6):
        for key in "ab":
            progress.started(job(key))
        for n_left, (key, seconds) in zip((5, 4), [("a", 50.0), ("b", 70.0)], strict=True):
            record = RunRecord.of(RUN | {"seconds": seconds})
            result = ChildResult("finished", "patience", record)
            progress.ended(job(key), result, n_left)
    first, second = text.getvalue().splitlines()[-2:]
    assert first.endswith("about 0:02:05 left")  # 5 jobs of 50 s, two at a time
    assert second.endswith("about 0:02:00 left")  # 4 of 60 s
    assert "2/6  finished  lr=b  val/loss 0.5000  70.0 s" in second


def test_many_combinations_are_announced():
    progress, text = shown()
    assert list(progress.checking(range(MANY_JOBS))) == list(range(MANY_JOBS))
    assert f"checking {MANY_JOBS} combinations" in text.getvalue()
