"""A sweep's page in MLflow."""

import json
from pathlib import Path
from typing import Any

import pytest

from mlp.runs import RunFolder, collect_provenance, update_run
from mlp.tracking import MLflowTracking, deliver, mlflow_client, read_counterpart
from tests.records import BEST, make_child, make_sweep

SWEEP = {
    "identity": "1de",
    "command": "mlp run -m optimizer.lr=0.1,0.2",
    "axes": {"optimizer.lr": [0.1, 0.2]},
    "status": "RUNNING",
    "continued": "2026-01-01T10:00:00+00:00",
    "ended": None,
    "stop_reason": None,
    "seconds": 1.0,
    "tags": {},
    "best": None,
    "counts": {},
}
END = {
    "status": "FINISHED",
    "ended": "2026-01-01T11:00:00+00:00",
    "stop_reason": "2 of 2 jobs finished",
    "counts": {"finished": 2, "failed": 0},
}
WINNER = {"run": "c", "name": "lr=0.1", "metric": "val/loss", "value": 0.5, "best": BEST}

pytestmark = pytest.mark.e2e


@pytest.fixture
def sweep(tracked: Path) -> RunFolder:
    destination = MLflowTracking().destination()
    names = {"name": "lr", "tracking": destination, "provenance": collect_provenance()}
    sweep_id = f"5eed{len(list(tracked.iterdir()))}"
    return make_sweep(tracked, sweep_id, **SWEEP | names)


def stored(folder: RunFolder) -> Any:
    return mlflow_client().get_run(read_counterpart(folder).run_id)


def note(folder: RunFolder) -> str:
    return stored(folder).data.tags["mlflow.note.content"]


def test_it_is_running_and_then_ends(sweep: RunFolder):
    deliver(sweep)
    assert stored(sweep).info.status == "RUNNING"
    assert stored(sweep).data.params == {"optimizer.lr": "0.1, 0.2"}
    update_run(sweep, **END)
    deliver(sweep)
    assert stored(sweep).info.status == "FINISHED"
    assert "2 of 2 jobs finished" in note(sweep)


def test_its_best_run_is_linked_and_its_runs_have_a_saved_view(sweep: RunFolder, tracked: Path):
    test = {"metrics": {"accuracy": 0.8}, "timestamp": 1, "digest": "abc"}
    child = make_child(tracked, "c1", {"optimizer.lr": 0.1}, parent=sweep.path.name, test=test)
    make_child(tracked, "c2", {"optimizer.lr": 0.2}, parent=sweep.path.name)  # not in MLflow
    (child.path / "mlflow.json").write_text('{"experiment_id": "1", "run_id": "abc"}')
    update_run(sweep, best=WINNER | {"run": "c1", "name": "lr=0.1"}, **END)
    deliver(sweep)
    assert "[lr\\=0\\.1](#/experiments/1/runs/abc?workflowType=machine_learning)" in note(sweep)
    run = stored(sweep)
    assert run.data.metrics == {
        "best_val_loss": 0.5,
        "best_val_accuracy": 0.9,
        "test_accuracy": 0.8,
    }
    tags = mlflow_client().get_experiment(run.info.experiment_id).tags
    view = json.loads(tags[f"mlflow.sharedViewState.{sweep.path.name[:8]}"])
    state = json.loads(view["state"])
    assert state["orderByKey"] == "metrics.`best_val_loss`"
    assert state["orderByAsc"] is True
    assert "params.`optimizer.lr`" in state["selectedColumns"]
    assert run.info.run_id in state["searchFilter"]


def test_restarting_a_finished_one_adds_no_metrics(sweep: RunFolder):
    update_run(sweep, best=WINNER)
    for hour in (11, 12, 13):
        update_run(sweep, **SWEEP | {"best": WINNER, "continued": f"2026-01-01T{hour}:00:00+00:00"})
        deliver(sweep)
        update_run(sweep, **END | {"ended": f"2026-01-01T{hour}:01:00+00:00"})
        deliver(sweep)
    history = mlflow_client().get_metric_history(read_counterpart(sweep).run_id, "best_val_loss")
    assert [metric.value for metric in history] == [0.5]
    assert stored(sweep).info.status == "FINISHED"


def test_names_and_commands_are_no_markdown(sweep: RunFolder, tracked: Path):
    name = "``` # a heading [x](y)"
    make_child(tracked, f"{sweep.path.name}c", {"lr": 0.1}, parent=sweep.path.name, name=name)
    update_run(sweep, command="```\n# another", best=WINNER | {"name": name}, **END)
    deliver(sweep)
    assert "\\`\\`\\` \\# a heading \\[x\\]\\(y\\)" in note(sweep)
    inside = False
    for line in note(sweep).splitlines():
        if line.startswith("````"):
            inside = not inside
        assert inside or not line.startswith("#")
