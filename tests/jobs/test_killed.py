"""SIGKILL, which no process can answer: what is there afterwards, and how it goes on."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mlp.runs import read_history, read_run
from mlp.runs.find import list_runs
from mlp.tracking import mlflow_client, read_counterpart, wait_for_delivery
from tests.conftest import Said

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL"),
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy"),  # in MLflow
]
QUICK = ["data=digits", "tracking=none", "trainer.max_epochs=1", "test=false"]
ENDLESS = [
    "data=digits",
    "threads=1",
    "model.hidden_sizes=[1024]",
    "trainer.max_epochs=1000000",
    "trainer.patience=null",
    "trainer.checkpoint_every=1",
]
FLUSH = 5.0  # seconds within which MLflow has what was logged


def test_killed_run_is_found_told_of_and_resumed(mlp_run: Callable[..., Said], runs: Path):
    process = subprocess.Popen(
        [sys.executable, "-m", "mlp.run", *ENDLESS], stdout=subprocess.DEVNULL
    )
    while not list(runs.glob("*/checkpoints/epoch-*")):
        assert process.poll() is None
        time.sleep(0.05)
    [folder] = list_runs()
    while not read_counterpart(folder):  # on a busy machine, the mirror takes a while to start
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(FLUSH + 1)
    rows = read_history(folder)
    process.kill()
    process.wait()

    client, run_id = mlflow_client(), read_counterpart(folder).run_id
    sent = client.get_metric_history(run_id, "val/loss")
    old = [row for row in rows if row["timestamp"] < rows[-1]["timestamp"] - 1000 * FLUSH]
    assert len(sent) >= len(old) > 0

    said = mlp_run(*QUICK)
    assert said.status == 0
    name = read_run(folder).name
    line = f"mlp run resume={folder.path.name[:8]}"
    assert said.err == f"mlp: the process of {name} died; to go on: {line}\n"
    wait_for_delivery([folder])
    assert read_run(folder).status == client.get_run(run_id).info.status == "KILLED"
    rows = read_history(folder)
    sent = client.get_metric_history(run_id, "val/loss")
    assert [(m.step, m.value) for m in sent] == [(row["epoch"], row["val/loss"]) for row in rows]
    assert mlp_run(*QUICK).err == ""

    resumed = subprocess.Popen([sys.executable, "-m", *line.split()], stdout=subprocess.DEVNULL)
    while len(read_history(folder)) < len(rows) + 10:
        assert resumed.poll() is None
        time.sleep(0.05)
    while client.get_run(run_id).info.status != "RUNNING":
        assert resumed.poll() is None
        time.sleep(0.05)
    resumed.send_signal(signal.SIGTERM)
    assert resumed.wait(30) == 143
    assert client.get_run(run_id).info.status == "KILLED"
    sent = client.get_metric_history(run_id, "val/loss")
    assert [metric.step for metric in sent] == list(range(1, read_run(folder).epochs + 1))
