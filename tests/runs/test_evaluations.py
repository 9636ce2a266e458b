"""Evaluations of one run, recorded by several processes and on several data."""

import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from mlp.base import RunError
from mlp.runs import RunFolder, read_training, record_evaluation
from mlp.training import Evaluation
from tests.records import make_run

RESULT = Evaluation(
    {"loss": 0.5, "accuracy": 0.5}, np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([0, 1])
)


def record_many(folder: RunFolder, prefix: str, n: int) -> None:
    for i in range(n):
        record_evaluation(folder, RESULT, "ab", f"digest {prefix}{i}", f"{prefix}{i}")


@pytest.mark.e2e
def test_of_two_processes_all_are_kept(runs: Path):
    folder = make_run(runs, "a")
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=record_many, args=(folder, word, 60)) for word in "xy"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert len(read_training(folder).evaluations) == 120


def test_other_data_of_the_same_name_overwrite_nothing(runs: Path):
    folder = make_run(runs, "a")
    names = [
        record_evaluation(folder, RESULT, "ab", digest, "test") for digest in ("1f", "2f", "1f")
    ]
    assert names == ["test", "test_2f", "test"]
    assert set(read_training(folder).evaluations) == {"test", "test_2f"}
    assert {path.name for path in folder.evaluations.iterdir()} == {"test", "test_2f"}


def test_a_loss_that_is_not_finite_is_refused(runs: Path):
    folder = make_run(runs, "a")
    odd = Evaluation({"loss": float("nan"), "accuracy": 0.5}, RESULT.answers, RESULT.labels)
    with pytest.raises(RunError, match="not a finite number"):
        record_evaluation(folder, odd, "ab", "1f", "test")
    assert read_training(folder).evaluations == {}
