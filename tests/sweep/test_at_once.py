"""Processes that begin at the same moment, where there is no store yet."""

import subprocess
import sys
from collections import Counter

import pytest

from mlp.runs import Children, list_sweeps
from mlp.tracking import mlflow_client

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")  # in MLflow
def test_sixteen_jobs_from_four_processes():
    """None fails, and MLflow has all of them."""
    words = ["-m", "data=digits", "model.hidden_sizes=[8]", "trainer.max_epochs=1"]
    words += ["sweep.test=none", "hydra/launcher=basic"]
    processes = [
        subprocess.Popen([sys.executable, "-m", "mlp.run", *words, f"seed=range({i},{i + 4})"])
        for i in range(0, 16, 4)
    ]
    assert [process.wait(120) for process in processes] == [0, 0, 0, 0]
    children = [record for sweep in list_sweeps() for record in Children(sweep.id).read()]
    assert len({record.sweep.key for record in children}) == 16
    experiment = mlflow_client().get_experiment_by_name("mlp").experiment_id
    stored = mlflow_client().search_runs([experiment])
    assert Counter(run.info.status for run in stored) == {"FINISHED": 16 + 4}
