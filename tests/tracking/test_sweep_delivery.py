"""A sweep's page in MLflow."""

from pathlib import Path
from typing import Any

import pytest

from mlp.runs import RunFolder, collect_provenance, update_run
from mlp.tracking import MLflowTracking, deliver, mlflow_client, read_counterpart
from tests.records import make_child, make_sweep

SWEEP = {
    "identity": "1de",
    "command": "python -m mlp.run -m optimizer.lr=0.1,0.2",
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

pytestmark = pytest.mark.e2e


@pytest.fixture
def sweep(tracked: Path) -> RunFolder:
    destination = MLflowTracking().destination()
    names = {"name": "lr", "tracking": destination, "provenance": collect_provenance()}
    sweep_id = f"5eed{len(list(tracked.iterdir()))}"
    return make_sweep(tracked, sweep_id, **SWEEP | names)


def stored(folder: RunFolder) -> Any:
    return mlflow_client().get_run(read_counterpart(folder).run_id)


def test_it_is_running_and_then_ends(sweep: RunFolder):
    deliver(sweep)
    assert stored(sweep).info.status == "RUNNING"
    assert stored(sweep).data.params == {"optimizer.lr": "0.1, 0.2"}
    update_run(sweep, **END)
    deliver(sweep)
    assert stored(sweep).info.status == "FINISHED"
    assert stored(sweep).data.metrics == {"jobs/finished": 2, "jobs/failed": 0}


def test_restarting_a_finished_one_adds_no_metrics(sweep: RunFolder):
    for hour in (11, 12, 13):
        update_run(sweep, **SWEEP | {"continued": f"2026-01-01T{hour}:00:00+00:00"})
        deliver(sweep)
        update_run(sweep, **END | {"ended": f"2026-01-01T{hour}:01:00+00:00"})
        deliver(sweep)
    history = mlflow_client().get_metric_history(read_counterpart(sweep).run_id, "jobs/finished")
    assert [metric.value for metric in history] == [2]
    assert stored(sweep).info.status == "FINISHED"


def test_its_ranking_cannot_leave_its_block(sweep: RunFolder, tracked: Path):
    name = "``` # a heading"
    make_child(tracked, f"{sweep.path.name}c", {"lr": 0.1}, parent=sweep.path.name, name=name)
    update_run(sweep, command="```\n# another", **END)
    deliver(sweep)
    lines = stored(sweep).data.tags["mlflow.note.content"].splitlines()
    inside = False
    for line in lines:
        if line.startswith("````"):
            inside = not inside
        assert inside or not line.startswith("#")
