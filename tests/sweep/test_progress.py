"""What a sweep shows: the time that is left, many jobs, names of list-valued settings."""

import io
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from mlp.runs import Children, RunFolder, RunRecord, write_run
from mlp.sweep.composer import PlannedJob
from mlp.sweep.plan import Plan
from mlp.sweep.progress import MANY_JOBS, SweepProgress
from mlp.sweep.watch import Watch
from mlp.sweep.worker import ChildResult
from tests.records import RUN


def job(key: str) -> PlannedJob:
    return PlannedJob(key, f"lr={key}", {}, [], {"trainer": {"max_epochs": 100}}, "", "val/loss")


def shown(terminal: Console | None = None) -> tuple[SweepProgress, io.StringIO]:
    text = io.StringIO()
    progress = SweepProgress(terminal or Console(file=text))
    jobs = [job(key) for key in "abcdef"]
    progress.show_plan(Plan("6 jobs", {}, jobs, 0, "", jobs[0]), {}, "2 at a time")
    return progress, text


def test_time_left_is_the_mean_time_of_the_jobs_left_shared_by_those_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """From a job's start to its end: its training is not all that takes time."""
    monkeypatch.setenv("MLP_RUNS", str(tmp_path))
    progress, text = shown()
    with progress.live(6, Watch(Children("none"))):
        monkeypatch.setattr(
            "mlp.sweep.progress.perf_counter", iter([0.0, 0.0, 50.0, 70.0]).__next__
        )
        for key in "ab":
            progress.started(job(key))
        for n_left, key in [(5, "a"), (4, "b")]:
            record = RunRecord.of(RUN | {"seconds": 7.0})
            result = ChildResult("finished", "patience", record)
            progress.ended(job(key), result, n_left)
    first, second = text.getvalue().splitlines()[-2:]
    assert first.endswith("about 0:02:05 left")  # 5 jobs of 50 s, two at a time
    assert second.endswith("about 0:02:00 left")  # 4 of 60 s
    assert "2/6  finished  lr=b  val/loss 0.5000  7.0 s" in second


def test_many_combinations_are_announced():
    progress, text = shown()
    assert list(progress.checking(range(MANY_JOBS))) == list(range(MANY_JOBS))
    assert f"checking {MANY_JOBS} combinations" in text.getvalue()


def test_running_jobs_are_shown_with_their_last_epochs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("MLP_RUNS", str(tmp_path))
    monkeypatch.setenv("TERM", "xterm")
    screen = io.StringIO()
    progress, _ = shown(Console(file=screen, force_terminal=True, width=80))
    with progress.live(6, Watch(Children("parent"))):
        for key in "ab":
            progress.started(job(key))
        record = RUN | {"sweep": {"parent": "parent", "key": "a", "params": {}}}
        folder = RunFolder.of(RunRecord.of(record).id)
        folder.path.mkdir()
        write_run(folder, RunRecord.of(record))
        many = "2,0.4\n" * 2000
        folder.history.write_text(f"epoch,val/loss\n{many}3,0.25\n4,0.1")
    lines = [line.rstrip() for line in Text.from_ansi(screen.getvalue()).plain.splitlines()]
    assert "  lr=a  epoch 3/100  val/loss 0.2500" in lines  # the fourth is being written
    assert "  lr=b  starting" in lines
