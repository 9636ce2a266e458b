"""The sweep's own run, and what it does about its children in MLflow."""

from typing import Any

import pytest

from mlp.runs import Life, open_run
from mlp.sweep.parent import open_sweep
from mlp.tracking import MLflowTracking, mlflow_client
from tests.cases import CONFIG, make_case

pytestmark = pytest.mark.e2e

DESCRIPTION: dict[str, Any] = {
    "identity": "1de", "name": "lr", "command": "-m", "monitor": "val/loss", "axes": {}, "jobs": [],
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")  # in MLflow
def test_a_child_that_its_own_process_is_bringing_over_is_left_to_it():
    """Two that send the same run at once are in each other's way."""
    case, tracking, client = make_case(), MLflowTracking(), mlflow_client()

    def status() -> str:
        return client.get_run(child.folder.path.name).info.status

    with open_sweep(tracking, DESCRIPTION, fresh=False, on_wait=lambda: None) as parent:
        sweep = {"parent": parent.id, "key": "k", "name": "lr=1", "params": {}}
        run = open_run(tracking, CONFIG, [], case.dataset, case.parts, case.network, sweep)
        with run as child:
            pass
        client.update_run(child.folder.path.name, "RUNNING")  # as if that were still to come
        life = Life(child.folder)
        parent.bury_dead()
        assert status() == "RUNNING"
        life.end()
        parent.bury_dead()
        assert status() == "FINISHED"
