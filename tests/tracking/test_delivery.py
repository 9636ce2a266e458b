"""What MLflow holds of a run, and that projecting a folder again changes nothing."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlp.base import RunError
from mlp.runs import Recorder, open_run, read_history, read_run, record_evaluation
from mlp.tracking import MLflowTracking, flatten, mlflow_client, project
from tests.cases import CONFIG, OVERRIDES, Case, Finished

pytestmark = pytest.mark.usefixtures("tracked")


def opened(case: Case, **config: Any) -> Recorder:
    return open_run(
        MLflowTracking(), CONFIG | config, OVERRIDES, case.dataset, case.parts, case.network
    )


def stored(run: Recorder | Finished) -> Any:
    """Return the MLflow run of a recorded run."""
    return mlflow_client().get_run(run.folder.path.name)


class TestFinishedRun:
    def test_folder_bears_the_mlflow_id_and_the_name_is_shared(self, finished: Finished):
        run, record = stored(finished), read_run(finished.folder)
        assert run.info.run_id == record["id"] == finished.folder.path.name
        assert run.info.run_name == record["name"] == "golden delicious"
        assert run.info.status == "FINISHED"
        assert run.info.start_time < run.info.end_time

    def test_params_are_the_flattened_config(self, finished: Finished):
        params = stored(finished).data.params
        assert params["model.hidden_sizes"] == "[6, 5]"
        assert params["model.max_norm"] == "null"
        assert params["optimizer.lr"] == "0.01"
        assert params["optimizer._target_"] == "mlp.nn.Adam"

    def test_metrics_are_the_history_with_the_epoch_as_step(self, finished: Finished):
        run_id = finished.folder.path.name
        for name in ("train/loss", "val/accuracy", "lr", "examples_per_second"):
            sent = mlflow_client().get_metric_history(run_id, name)
            assert [(m.step, m.timestamp, m.value) for m in sent] == [
                (row["epoch"], row["timestamp"], row[name]) for row in read_history(finished.folder)
            ]

    def test_final_metrics_are_the_best_epoch_and_the_test(self, finished: Finished):
        metrics, outcome = stored(finished).data.metrics, finished.outcome
        assert metrics["best/epoch"] == outcome.best_epoch
        assert metrics["best/val_loss"] == outcome.best["val/loss"]
        assert metrics["best/val_accuracy"] == outcome.best["val/accuracy"]
        assert "best/train_loss" not in metrics
        assert metrics["test/loss"] == finished.evaluation.loss
        assert metrics["test/accuracy"] == finished.evaluation.accuracy

    def test_tags_say_where_the_result_comes_from(self, finished: Finished):
        tags = stored(finished).data.tags
        assert tags["question"] == "does it learn"
        assert tags["mlp.data.digest"] == finished.case.dataset.digest
        assert tags["mlp.version.numpy"] == np.__version__
        assert tags["mlp.stop_reason"] == "max_epochs=3 reached"
        assert int(tags["mlp.blas.threads"]) >= 1
        assert {"mlflow.user", "mlflow.source.name", "mlp.host"} <= tags.keys()

    def test_description_tells_model_result_and_command(self, finished: Finished):
        note = stored(finished).data.tags["mlflow.note.content"]
        accuracy = finished.evaluation.accuracy
        validation = finished.outcome.best["val/accuracy"]
        assert note.startswith(
            f"Accuracy: validation **{validation:.2%}**, test **{accuracy:.2%}**"
        )
        assert "dense 16 → 6" in note
        assert "**fruit**: 100 to train, 20 to validate, 60 to test" in note
        assert f"| test | {finished.evaluation.loss:.4f} | {accuracy:.2%} |" in note
        assert "python -m mlp.run 'model.hidden_sizes=[6,5]'" in note

    def test_data_set_is_an_input(self, finished: Finished):
        (entry,) = stored(finished).inputs.dataset_inputs
        assert entry.dataset.name == "fruit"
        assert finished.case.dataset.digest.startswith(entry.dataset.digest)
        assert json.loads(entry.dataset.profile)["n_train"] == 100

    def test_artifacts_are_the_folders_files(self, finished: Finished):
        client, run_id = mlflow_client(), finished.folder.path.name
        names = {file.path for file in client.list_artifacts(run_id)}
        assert {"config.yaml", "overrides.yaml", "history.csv", "log.txt", "weights"} <= names
        figures = {Path(file.path).name for file in client.list_artifacts(run_id, "figures")}
        assert figures == {"curves.png", "confusion.png", "mistakes.png", "first_layer.png"}

    def test_artifacts_lie_beside_our_own_database(self, finished: Finished, store: Path):
        assert stored(finished).info.artifact_uri.startswith((store / "artifacts").as_uri())


class TestProjectingAgain:
    def test_changes_nothing(self, finished: Finished):
        client, run_id = mlflow_client(), finished.folder.path.name
        before = stored(finished)
        project(finished.folder)
        after = stored(finished)
        assert after.to_dictionary() == before.to_dictionary()
        assert len(after.outputs.model_outputs) == 1
        for name in after.data.metrics:
            assert len(client.get_metric_history(run_id, name)) in (1, 3)

    def test_brings_an_evaluation_on_other_data(self, case: Case, finished: Finished):
        with opened(case) as run:
            pass
        record_evaluation(run.folder, finished.evaluation, ("a", "b", "c"), "other data/2")
        project(run.folder)
        metrics = stored(run).data.metrics
        assert metrics["eval/other_data_2/accuracy"] == finished.evaluation.accuracy
        assert "test/accuracy" not in metrics
        files = mlflow_client().list_artifacts(run.folder.path.name, "eval/other_data_2")
        assert [Path(file.path).name for file in files] == ["predictions.csv"]

    def test_delivers_what_mlflow_did_not_take(
        self, case: Case, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ):
        """A store that refuses everything stops no training, and loses nothing."""

        def refuse(*_: object, **__: object) -> None:
            raise ConnectionError("gone")

        with monkeypatch.context() as patch, opened(case) as run:
            patch.setattr("mlflow.MlflowClient.log_batch", refuse)
            case.train(run)
            run.__exit__(None, None, None)
        assert "python -m mlp.sync" in caplog.text
        project(run.folder)
        sent = mlflow_client().get_metric_history(run.folder.path.name, "val/loss")
        assert [m.value for m in sent] == [row["val/loss"] for row in read_history(run.folder)]


class TestOtherEnds:
    def test_a_failed_run_carries_its_traceback(self, case: Case):
        with pytest.raises(ZeroDivisionError), opened(case) as run:
            raise ZeroDivisionError("the reason")
        assert stored(run).info.status == "FAILED"
        names = [file.path for file in mlflow_client().list_artifacts(run.folder.path.name)]
        assert "traceback.txt" in names

    def test_an_interrupted_run_is_killed_and_keeps_its_metrics(self, case: Case):
        run = opened(case)

        def train_and_interrupt() -> None:
            with run:
                case.train(run)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            train_and_interrupt()
        assert stored(run).info.status == "KILLED"
        assert len(mlflow_client().get_metric_history(run.folder.path.name, "lr")) == 3

    def test_a_second_signal_still_tells_mlflow_that_it_was_killed(self, case: Case):
        """And waits for nothing more: what else there is can be brought over later."""
        with pytest.raises(SystemExit), opened(case) as run:
            raise SystemExit(130)
        assert stored(run).info.status == "KILLED"
        assert not read_run(run.folder)["mlflow"]["delivered"]

    def test_a_folder_that_cannot_be_made_leaves_no_running_run(self, case: Case, monkeypatch):
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        client = mlflow_client()
        monkeypatch.setattr("mlp.runs.opening.write_run", full)
        with pytest.raises(RunError, match="No space left"):
            opened(case, name="nowhere to go")
        experiment = client.get_experiment_by_name("mlp").experiment_id
        (run,) = client.search_runs([experiment], "tags.mlflow.runName = 'nowhere to go'")
        assert run.info.status == "FAILED"


class TestLimits:
    def test_more_params_and_longer_ones_than_mlflow_takes_at_once(self, case: Case):
        many = {f"key{i}": i for i in range(250)} | {"long": "x" * 7000}
        with opened(case, extra=many) as run:
            pass
        params = stored(run).data.params
        assert params["extra.key249"] == "249"
        assert len(params["extra.long"]) == 6000

    def test_flattening_keeps_lists_readable_and_empty_groups_visible(self):
        assert flatten({"a": {"b": [128, 64], "c": {}}, "d": "text", "e": 1e-3}) == {
            "a.b": "[128, 64]",
            "a.c": "{}",
            "d": "text",
            "e": "0.001",
        }


class TestStore:
    def test_the_experiment_can_be_named(self, case: Case):
        tracking = MLflowTracking(experiment_name="orchard")
        with open_run(tracking, CONFIG, [], case.dataset, case.parts, case.network) as run:
            pass
        experiment = mlflow_client().get_experiment(stored(run).info.experiment_id)
        assert experiment.name == "orchard"

    def test_a_deleted_experiment_is_named(self, case: Case):
        client = mlflow_client()
        client.delete_experiment(client.create_experiment("felled"))
        tracking = MLflowTracking(experiment_name="felled")
        with pytest.raises(RunError, match=r"'felled' is deleted.*tracking\.experiment_name"):
            open_run(tracking, CONFIG, [], case.dataset, case.parts, case.network)

    def test_a_store_that_is_none_is_named_and_nothing_is_made(
        self, tmp_path: Path, case: Case, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("MLP_RUNS", str(tmp_path))
        (tmp_path / "mlflow.db").write_text("this is not a database, though it is long enough")
        with pytest.raises(RunError, match=r"mlflow\.db does not work.*tracking=none"):
            opened(case)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["mlflow.db", "mlflow.lock"]

    @pytest.mark.parametrize("name", ["", "a\nb", "x" * 201])
    def test_an_impossible_experiment_name_is_refused(self, name: str):
        with pytest.raises(ValueError, match=r"^experiment_name must"):
            MLflowTracking(experiment_name=name)

    def test_telemetry_is_off_unless_the_user_turned_it_on(self, monkeypatch):
        import os

        monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY", raising=False)
        mlflow_client()
        assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
        monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "false")
        mlflow_client()
        assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "false"
