"""A run's folder: what it holds after every kind of end, and while the training goes on."""

import csv
import os
import time
from pathlib import Path

import numpy as np
import pytest

from mlp.base import RunError
from mlp.data import Scaler
from mlp.nn import load
from mlp.runs import Recorder, open_run, read_config, read_history, read_run
from mlp.tracking import NoTracking
from mlp.training import EpochEnded
from tests.cases import CONFIG, OVERRIDES, Case, Finished, make_case, record_whole_run


def opened(case: Case, **config: object) -> Recorder:
    return open_run(None, CONFIG | config, OVERRIDES, case.dataset, case.parts, case.network)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLP_RUNS", str(tmp_path_factory.mktemp("runs")))
        return record_whole_run(make_case(), NoTracking(), name="my run")


class TestFinished:
    def test_folder_is_enough_to_repeat_and_to_evaluate(self, whole: Finished):
        """Config, overrides, weights and scaling come back as they were."""
        case, folder, *_ = whole
        assert read_config(folder) == CONFIG | {"name": "my run"}
        assert np.array_equal(load(folder.weights).params, case.network.params)
        assert np.array_equal(Scaler.load(folder.weights).factor, case.parts.scaler.factor)

    def test_record_tells_the_run(self, whole: Finished):
        case, folder, outcome, evaluation = whole
        record = read_run(folder)
        assert record.id == folder.path.name
        assert record.name == "my run"
        assert record.status == "FINISHED"
        assert record.stop_reason == "max_epochs=3 reached"
        assert record.epochs == 3
        assert record.monitor == "val/loss"
        assert record.metrics == outcome.best | {"epoch": outcome.best_epoch}
        assert record.test.metrics["loss"] == evaluation.loss
        assert record.test.metrics["accuracy"] == evaluation.metrics["accuracy"]
        assert record.command == (
            "mlp run 'model.hidden_sizes=[6,5]' 'tags.question=does it learn'"
        )
        assert record.data.digest == case.dataset.digest
        assert (record.data.n_train, record.data.n_val) == (100, 20)
        assert record.tracking is None

    def test_history_has_a_row_per_epoch_to_the_last_digit(self, whole: Finished):
        rows = read_history(whole.folder)
        assert [{k: v for k, v in row.items() if k != "timestamp"} for row in rows] == [
            dict(row) for row in whole.outcome.history
        ]

    def test_predictions_name_the_classes(self, whole: Finished):
        with whole.folder.test_predictions.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        right = np.mean([row["label"] == row["prediction"] for row in rows])
        assert right == whole.evaluation.metrics["accuracy"]
        assert {row["label"] for row in rows} == {"apple", "pear", "plum"}
        assert float(rows[5]["score"]) == whole.evaluation.answers[5].max()

    def test_no_file_is_left_unfinished(self, whole: Finished):
        assert not [path for path in whole.folder.path.rglob(".*")]


class TestOtherEnds:
    def test_an_error_is_kept_with_its_traceback_and_goes_on(self, runs: Path, case: Case):
        run = opened(case)

        def train_and_fail() -> None:
            with run:
                case.train(run)
                raise ZeroDivisionError("the reason")

        with pytest.raises(ZeroDivisionError):
            train_and_fail()
        record = read_run(run.folder)
        assert record.status == "FAILED"
        assert record.stop_reason.startswith("the reason (in ")
        assert record.epochs == 3
        assert "ZeroDivisionError: the reason" in run.folder.traceback.read_text()

    @pytest.mark.parametrize("end", [KeyboardInterrupt(), SystemExit(143)])
    def test_an_interrupted_run_is_killed(self, runs: Path, case: Case, end: BaseException):
        with pytest.raises(type(end)), opened(case) as run:
            raise end
        assert read_run(run.folder).status == "KILLED"
        assert not run.folder.traceback.exists()

    def test_a_signal_that_ended_the_training_in_good_order_kills_too(self, runs: Path, case: Case):
        with opened(case) as run:
            run.killed = True
        assert read_run(run.folder).status == "KILLED"


class TestWhileTraining:
    def test_an_epoch_is_on_disk_as_soon_as_it_has_ended(self, runs: Path, case: Case):
        seen = []
        with opened(case) as run:
            case.train(run, lambda event: seen.append(len(read_history(run.folder))))
        assert seen == [0, 1, 2, 3, 3]  # started, three epochs, ended

    def test_an_epoch_costs_the_training_less_than_a_millisecond(self, runs: Path, case: Case):
        """A 10 s training of 200 epochs may spend 2 %, which is 1 ms an epoch, on its record."""
        metrics = {f"metric/{i}": i / 7 for i in range(10)}
        with opened(case) as run:
            start = time.thread_time()
            for epoch in range(1, 501):
                run(EpochEnded(epoch, metrics, epoch, 0.5, 1.0))
            assert (time.thread_time() - start) / 500 < 1e-3

    def test_the_log_grows_line_by_line(self, runs: Path, case: Case):
        with opened(case) as run:
            run.log("half way")
            lines = run.folder.log.read_text().splitlines()
            assert [line.split("  ", 1)[1] for line in lines] == ["opened", "half way"]


class TestOpening:
    @pytest.mark.parametrize("name", ["../../escape", "/etc/passwd", "a/b", "..", "ü" * 200])
    def test_a_name_never_becomes_a_path(self, runs: Path, case: Case, name: str):
        with opened(case, name=name) as run:
            pass
        assert read_run(run.folder).name == name
        assert run.folder.path.parent == runs
        assert [path.name for path in runs.iterdir()] == [run.folder.path.name]

    def test_a_place_that_cannot_hold_runs_is_named(self, tmp_path: Path, case: Case, monkeypatch):
        (tmp_path / "file").touch()
        monkeypatch.setenv("MLP_RUNS", str(tmp_path / "file" / "runs"))
        with pytest.raises(RunError, match=r"MLP_RUNS cannot be a folder \(Not a directory\)"):
            opened(case)

    def test_weights_appear_whole_or_not_at_all(self, runs: Path, case: Case, monkeypatch):
        """A writer that dies between two arrays leaves no folder that looks complete."""
        monkeypatch.setattr(Scaler, "save", lambda self, folder: os.listdir("/does/not/exist"))
        with pytest.raises(RunError, match="the weights are lost"), opened(case) as run:
            run.save_weights(case.predictor, case.model)
        assert not run.folder.weights.exists()
