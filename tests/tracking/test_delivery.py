"""What MLflow holds of a run, and that delivering it again changes nothing."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlp.base import RunError
from mlp.runs import Recorder, open_run, read_history, read_run, record_evaluation, update_run
from mlp.tracking import MLflowTracking, deliver, mlflow_client, read_counterpart
from tests.cases import CONFIG, OVERRIDES, Case, Finished, record_whole_run

pytestmark = pytest.mark.usefixtures("tracked")


def opened(case: Case, **config: Any) -> Recorder:
    tracking = MLflowTracking().destination()
    return open_run(tracking, CONFIG | config, OVERRIDES, case.dataset, case.parts, case.network)


def run_id(run: Recorder | Finished) -> str:
    """Return the id of a run's counterpart."""
    return read_counterpart(run.folder).run_id


def stored(run: Recorder | Finished) -> Any:
    """Return the MLflow run of a recorded run."""
    return mlflow_client().get_run(run_id(run))


class TestFinishedRun:
    def test_it_bears_the_folders_id_and_the_name_is_shared(self, finished: Finished):
        run, record = stored(finished), read_run(finished.folder)
        assert run.data.tags["mlp.id"] == record.id == finished.folder.path.name
        assert run.info.run_name == record.name == "golden delicious"
        assert run.info.status == "FINISHED"
        assert run.info.start_time < run.info.end_time

    def test_params_are_what_was_asked_for_and_what_is_usually_compared(self, finished: Finished):
        params = stored(finished).data.params
        assert params["model.hidden_sizes"] == "[6, 5]"
        assert params["optimizer"] == "Adam"
        assert params["optimizer.lr"] == "0.01"
        assert "model.max_norm" not in params

    def test_metrics_are_the_history_with_the_epoch_as_step(self, finished: Finished):
        for name in ("train/loss", "val/accuracy", "lr", "examples_per_second"):
            sent = mlflow_client().get_metric_history(run_id(finished), name)
            assert [(m.step, m.timestamp, m.value) for m in sent] == [
                (row["epoch"], row["timestamp"], row[name]) for row in read_history(finished.folder)
            ]

    def test_final_metrics_are_the_best_epoch_and_the_test(self, finished: Finished):
        metrics, outcome = stored(finished).data.metrics, finished.outcome
        assert metrics["best_epoch"] == outcome.best_epoch
        assert metrics["best_val_loss"] == outcome.best["val/loss"]
        assert metrics["best_val_accuracy"] == outcome.best["val/accuracy"]
        assert "best_train_loss" not in metrics
        assert metrics["test_loss"] == finished.evaluation.loss
        assert metrics["test_accuracy"] == finished.evaluation.metrics["accuracy"]

    def test_tags_say_where_the_result_comes_from(self, finished: Finished):
        tags = stored(finished).data.tags
        assert tags["question"] == "does it learn"
        assert tags["mlp.stop_reason"] == "max_epochs=3 reached"
        assert {"mlflow.user", "mlflow.source.name"} <= tags.keys()
        client = mlflow_client()
        record = client.download_artifacts(run_id(finished), "run.json")
        assert f'"numpy":"{np.__version__}"' in Path(record).read_text().replace(" ", "")

    def test_description_tells_model_result_and_command(self, finished: Finished):
        note = stored(finished).data.tags["mlflow.note.content"]
        accuracy = finished.evaluation.metrics["accuracy"]
        validation = finished.outcome.best["val/accuracy"]
        assert note.startswith(
            f"Accuracy: validation **{validation:.2%}**, test **{accuracy:.2%}**"
        )
        assert "dense 16 → 6" in note
        assert "**fruit**: 100 for training, 20 for validation, 60 for testing" in note
        row = ["test", f"{finished.evaluation.loss:.4f}", f"{accuracy:.2%}"]
        assert row in [
            line.replace("&emsp;", "").strip("| ").split(" | ") for line in note.splitlines()
        ]
        assert "mlp run 'model.hidden_sizes=[6,5]'" in note

    def test_data_set_is_an_input(self, finished: Finished):
        (entry,) = stored(finished).inputs.dataset_inputs
        assert entry.dataset.name == "fruit"
        assert finished.case.dataset.digest.startswith(entry.dataset.digest)
        assert json.loads(entry.dataset.profile)["n_train"] == 100

    def test_artifacts_are_the_folders_files(self, finished: Finished):
        client = mlflow_client()
        names = {file.path for file in client.list_artifacts(run_id(finished))}
        assert {"config.yaml", "overrides.yaml", "history.csv", "log.txt", "weights"} <= names
        figures = {
            Path(file.path).name for file in client.list_artifacts(run_id(finished), "figures")
        }
        assert figures == {"curves.png"}

    def test_artifacts_lie_beside_our_own_database(self, finished: Finished, store: Path):
        assert stored(finished).info.artifact_uri.startswith((store / "artifacts").as_uri())


class TestAgain:
    def test_changes_nothing(self, finished: Finished):
        client = mlflow_client()
        before = stored(finished)
        deliver(finished.folder)
        after = stored(finished)
        assert after.to_dictionary() == before.to_dictionary()
        assert len(after.outputs.model_outputs) == 1
        for name in after.data.metrics:
            assert len(client.get_metric_history(run_id(finished), name)) in (1, 3)

    def test_brings_an_evaluation_on_other_data(self, case: Case, finished: Finished):
        with opened(case) as run:
            pass
        record_evaluation(run.folder, finished.evaluation, ("a", "b", "c"), "abc", "other data/2")
        deliver(run.folder)
        metrics = stored(run).data.metrics
        assert metrics["eval_other_data_2_accuracy"] == finished.evaluation.metrics["accuracy"]
        assert "test_accuracy" not in metrics
        files = mlflow_client().list_artifacts(run_id(run), "eval/other_data_2")
        assert [Path(file.path).name for file in files] == ["predictions.csv"]

    def test_finds_the_counterpart_by_its_tag(self, case: Case):
        """What the folder knew of it was lost, or names another run."""
        with opened(case) as run, opened(case) as other:
            pass
        deliver(run.folder)
        deliver(other.folder)
        own, known = run_id(run), run.folder.path / "mlflow.json"
        for content in (None, "[]", (other.folder.path / "mlflow.json").read_text()):
            known.write_text(content) if content else known.unlink()
            deliver(run.folder)
            assert run_id(run) == own

    def test_an_epoch_that_was_lost_with_the_power_keeps_its_first_time(self, case: Case):
        """MLflow had the row, the folder had not; it was trained again, at another time."""
        with opened(case) as run:
            case.train(run)
        deliver(run.folder)
        before = mlflow_client().get_metric_history(run_id(run), "val/loss")
        lines = run.folder.history.read_text().splitlines(keepends=True)
        again = lines[-1].replace(str(before[-1].timestamp), str(before[-1].timestamp + 5))
        assert again != lines[-1]
        run.folder.history.write_text("".join([*lines[:-1], again]))
        deliver(run.folder)
        sent = mlflow_client().get_metric_history(run_id(run), "val/loss")
        assert [(m.step, m.timestamp) for m in sent] == [(m.step, m.timestamp) for m in before]


class TestHostile:
    """A folder that somebody else has made."""

    def test_a_run_that_bears_another_id_is_left_alone(self, case: Case, finished: Finished):
        before = stored(finished).to_dictionary()
        with opened(case, name="intruder") as run:
            pass
        known = (finished.folder.path / "mlflow.json").read_text()
        (run.folder.path / "mlflow.json").write_text(known)
        deliver(run.folder)
        assert run_id(run) != run_id(finished)
        assert stored(finished).to_dictionary() == before

    @pytest.mark.parametrize("name", ["figures", "weights/W1.npy", "log.txt", "eval/deep/x.csv"])
    def test_a_symbolic_link_is_named_and_not_followed(self, case: Case, tmp_path: Path, name: str):
        (tmp_path / "secret").write_text("the password")
        with opened(case) as run:
            case.train(run)
            run.save_weights(case.predictor, case.model)
        link = run.folder.path / name
        link.parent.mkdir(exist_ok=True, parents=True)
        link.unlink(missing_ok=True)
        link.symlink_to(tmp_path / "secret")
        with pytest.raises(RunError, match=f"{link} is a symbolic link"):
            deliver(run.folder)
        artifacts = Path(stored(run).info.artifact_uri.removeprefix("file://"))
        assert not (artifacts / name).exists()

    @pytest.mark.parametrize("scheme", ["sqlite", "sqlite+pysqlite"])
    def test_a_record_makes_no_database_elsewhere(self, case: Case, tmp_path: Path, scheme: str):
        place = tmp_path / "elsewhere.db"
        with opened(case) as run:
            pass
        update_run(run.folder, tracking={"uri": f"{scheme}:///{place}", "experiment": "mlp"})
        with pytest.raises(RunError, match="does not exist"):
            deliver(run.folder)
        assert not place.exists()

    def test_the_notes_code_cannot_be_left(self, case: Case):
        with opened(case) as run:
            pass
        update_run(run.folder, command="a\n```\n# a heading\n````\n")
        deliver(run.folder)
        note = stored(run).data.tags["mlflow.note.content"]
        assert note.endswith("\n`````\na\n```\n# a heading\n````\n\n`````")


class TestDisk:
    def test_weights_are_stored_once(self, finished: Finished):
        client = mlflow_client()
        (output,) = stored(finished).outputs.model_outputs
        model = client.get_logged_model(output.model_id).artifact_location
        artifacts = stored(finished).info.artifact_uri
        for file in finished.folder.weights.iterdir():
            copies = (f"{artifacts}/weights", f"{model}/artifacts/weights")
            for copy in copies:
                assert (Path(copy.removeprefix("file://")) / file.name).samefile(file)

    def test_without_links_they_are_copied(self, case: Case, monkeypatch: pytest.MonkeyPatch):
        def refuse(*_: object, **__: object) -> None:
            raise OSError(18, "Invalid cross-device link")

        monkeypatch.setattr("os.link", refuse)
        with opened(case) as run:
            case.train(run)
            run.save_weights(case.predictor, case.model)
        deliver(run.folder)
        files = mlflow_client().list_artifacts(run_id(run), "weights")
        assert {Path(f.path).name for f in files} == {p.name for p in run.folder.weights.iterdir()}


class TestVerdict:
    def test_a_published_result_is_set_beside_as_tag_and_metrics(self, case: Case):
        published = {"error": 100.0, "source": "Someone 1999"}
        run = record_whole_run(case, MLflowTracking(), published=published)
        deliver(run.folder)
        data, verdict = stored(run).data, read_run(run.folder).verdict
        assert data.tags["mlp.verdict"] == verdict.word == "better"
        assert "published 100 % (Someone 1999): better" in data.tags["mlflow.note.content"]
        assert data.metrics["verdict_published"] == 100
        assert data.metrics["verdict_measured"] == verdict.measured
        assert data.metrics["verdict_margin"] == verdict.margin


class TestOtherEnds:
    def test_a_failed_run_carries_its_traceback(self, case: Case):
        with pytest.raises(ZeroDivisionError), opened(case) as run:
            raise ZeroDivisionError("the reason")
        deliver(run.folder)
        assert stored(run).info.status == "FAILED"
        names = [file.path for file in mlflow_client().list_artifacts(run_id(run))]
        assert "traceback.txt" in names

    def test_an_interrupted_run_is_killed_and_keeps_its_metrics(self, case: Case):
        run = opened(case)

        def train_and_interrupt() -> None:
            with run:
                case.train(run)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            train_and_interrupt()
        deliver(run.folder)
        assert stored(run).info.status == "KILLED"
        assert len(mlflow_client().get_metric_history(run_id(run), "lr")) == 3


class TestLimits:
    def test_more_params_and_longer_ones_than_mlflow_takes_at_once(self, case: Case):
        many = {f"key{i}": i for i in range(250)} | {"long": "x" * 7000}
        asked = [f"+extra.{key}={value}" for key, value in many.items()]
        tracking, config = MLflowTracking().destination(), CONFIG | {"extra": many}
        with open_run(tracking, config, asked, case.dataset, case.parts, case.network) as run:
            pass
        deliver(run.folder)
        params = stored(run).data.params
        assert params["extra.key249"] == "249"
        assert len(params["extra.long"]) == 6000


class TestStore:
    def test_an_experiment_is_shown_as_one_of_trainings_with_their_figures(self, case: Case):
        with opened(case) as run:
            pass
        client = mlflow_client()
        deliver(run.folder)
        experiment = client.get_experiment(stored(run).info.experiment_id)
        assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"
        own = json.dumps({"name": "mine", "createdAt": 1, "updatedAt": 1, "state": "{}"})
        client.set_experiment_tag(experiment.experiment_id, "mlflow.sharedViewState.results", own)
        deliver(run.folder)
        tags = client.get_experiment(experiment.experiment_id).tags
        assert tags["mlflow.sharedViewState.results"] == own  # what a user has saved is kept

    def test_the_experiment_can_be_named(self, case: Case):
        tracking = MLflowTracking(experiment_name="orchard").destination()
        with open_run(tracking, CONFIG, [], case.dataset, case.parts, case.network) as run:
            pass
        deliver(run.folder)
        experiment = mlflow_client().get_experiment(stored(run).info.experiment_id)
        assert experiment.name == "orchard"

    def test_a_deleted_experiment_is_named(self, case: Case):
        client = mlflow_client()
        client.delete_experiment(client.create_experiment("felled"))
        tracking = MLflowTracking(experiment_name="felled").destination()
        with open_run(tracking, CONFIG, [], case.dataset, case.parts, case.network) as run:
            pass
        with pytest.raises(RunError, match=r"'felled' is deleted.*tracking\.experiment_name"):
            deliver(run.folder)

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
