"""A sweep that was killed and started again comes to the same as one that was left alone."""

import csv
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from mlp.runs import Children, Record, RunFolder, list_sweeps
from mlp.tracking import mlflow_client, read_counterpart

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL"),
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy"),  # in MLflow
]

GRID = [
    "-m",
    "data=digits",
    "optimizer.lr=0.001,0.003",
    "model.hidden_sizes=[8],[16]",
    "seed=range(3)",
    "trainer.max_epochs=20",
]
MINE = ("run ids", "seconds", "test accuracy")  # what two equal sweeps do not share


def start(*words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "mlp.run", *words]
    return subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)


def finish(*words: str) -> int:
    return start(*words).wait(180)


def latest() -> Record:
    return list_sweeps()[-1]


def statuses(sweep: Record) -> Counter[str]:
    return Counter(record.status for record in Children(sweep.id).read())


def board(runs: Path, sweep: Record) -> list[dict[str, str]]:
    """The leaderboard, but for ids and times."""
    with (runs / sweep.id / "leaderboard.csv").open() as file:
        return [{k: v for k, v in row.items() if k not in MINE} for row in csv.DictReader(file)]


def weights(runs: Path, sweep: Record) -> dict[tuple[str, str], bytes]:
    """The bytes of every array, by the job's key and the file's name."""
    return {
        (record.sweep.key, file.name): file.read_bytes()
        for record in Children(sweep.id).read()
        if record.status == "FINISHED"
        for file in (runs / record.id / "weights").glob("*.npy")
    }


def test_a_killed_grid_is_continued(runs: Path):
    """Killed with some of 12 jobs done and two running; nothing is done twice or lost."""
    process = start(*GRID)
    while not runs.exists() or not list_sweeps():
        assert process.poll() is None
        time.sleep(0.1)
    children = Children(latest().id)
    while (counts := children.counts())["finished"] < 3 or counts["running"] < 2:
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = {record.id for record in children.read() if record.status == "FINISHED"}
    assert 1 <= len(done) < 12
    assert latest().status == "RUNNING"

    assert finish(*GRID) == 0
    [sweep] = list_sweeps()
    records = children.read()
    finished = [record for record in records if record.status == "FINISHED"]
    assert len(finished) == len({record.sweep.key for record in finished}) == 12
    assert done < {record.id for record in finished}
    assert records == finished  # those that were interrupted went on
    starts = [(runs / r.id / "log.txt").read_text().count("  opened\n") for r in records]
    assert 12 <= sum(starts) <= 14
    assert sweep.status == "FINISHED"

    client = mlflow_client()
    parent = read_counterpart(RunFolder(runs / sweep.id))
    query = f"tags.`mlflow.parentRunId` = '{parent.run_id}'"
    family = client.search_runs([parent.experiment_id], query)
    assert Counter(run.info.status for run in family) == statuses(sweep)
    page = client.get_run(parent.run_id)
    assert page.info.status == "FINISHED"
    assert page.data.params["optimizer.lr"] == "0.001, 0.003"
    assert page.data.metrics["best_val_loss"] == sweep.best.best.metrics["val/loss"]
    assert page.data.tags["mlp.sweep.best"] == sweep.best.run
    files = {file.path for file in client.list_artifacts(parent.run_id)}
    assert {"leaderboard.csv", "figures", "log.txt", "run.json"} <= files

    def rows(run_id: str) -> Counter[tuple[str, int]]:
        """How many rows MLflow has for a metric and a step."""
        metrics = client.get_run(run_id).data.metrics
        return Counter(
            (key, m.step) for key in metrics for m in client.get_metric_history(run_id, key)
        )

    assert set(rows(parent.run_id).values()) == {1}
    assert all(set(rows(run.info.run_id).values()) == {1} for run in family)

    before = [rows(parent.run_id), page.info.end_time, latest()]
    assert finish(*GRID) == 0  # of a finished sweep nothing is recorded again
    assert before == [rows(parent.run_id), client.get_run(parent.run_id).info.end_time, latest()]

    assert finish(*GRID, "sweep.name=left alone", "tracking=none") == 0
    whole = latest()
    assert whole.id != sweep.id
    assert board(runs, whole) == board(runs, sweep)
    assert weights(runs, whole) == weights(runs, sweep)
