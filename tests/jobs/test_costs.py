"""What a run costs besides its training, in units that no busy machine changes."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mlp.jobs import run_job
from mlp.runs import open_run
from mlp.tracking import MLflowTracking, deliver, mlflow_client
from tests.cases import CONFIG, OVERRIDES, composed, make_case

pytestmark = pytest.mark.e2e

JOB = {"parent": "p", "key": "k", "name": "n", "params": {}}
HEAVY = [
    "mlflow",
    "pandas",
    "sklearn",
    "scipy",
    "matplotlib",
    "sqlalchemy",
    "optuna",
    "mlxtend",
    "PIL",
]
IMPORTED = f"""
import sys
from mlp.config import compose
from mlp.jobs import run_job
from mlp.reports import Console

class Spy(Console):
    def show_result(self, *_):
        print([name for name in {HEAVY} if name in sys.modules])

run_job(compose(["trainer.max_epochs=1"]), console=Spy(quiet=True))
"""


def test_until_the_result_is_shown_nothing_heavy_is_imported():
    answer = subprocess.run(
        [sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True
    )
    assert answer.stdout == "[]\n"


class Counting:
    """Stands for an object, and notes which of its methods are called."""

    def __init__(self, real: Any) -> None:
        self.real, self.calls = real, list[str]()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.real, name)
        if not callable(found):
            return found
        return lambda *words, **named: (self.calls.append(name), found(*words, **named))[1]


def test_an_epoch_waits_for_no_disk_and_a_run_for_a_few_files(monkeypatch: pytest.MonkeyPatch):
    """An epoch is a line at the end of a file; whole files are forced to the disk."""

    def count(epochs: int) -> Counter[str]:
        system = Counting(os)
        words = ["data=digits", "tracking=none", f"trainer.max_epochs={epochs}"]
        with monkeypatch.context() as patch:
            patch.setattr("mlp.base.files.os", system)
            run_job(composed(*words), sweep=JOB)
        return Counter(system.calls)

    few, many = count(2), count(12)
    assert few == many
    assert few["fsync"] <= 32
    assert few["replace"] <= 11


def test_mlflow_gets_a_run_in_ten_requests_however_many_epochs_it_had(tracked: Path):
    def requests(epochs: int) -> list[str]:
        case, destination = make_case(), MLflowTracking().destination()
        made = case.dataset, case.parts, case.network
        with open_run(destination, CONFIG, OVERRIDES, *made) as run:
            case.train(run, max_epochs=epochs)
            run.save_weights(case.predictor, case.model)
        client = Counting(mlflow_client())
        deliver(run.folder, client)
        return client.calls

    requests(1)  # makes the experiment
    few, many = requests(2), requests(40)
    assert few == many
    assert len(few) <= 10
