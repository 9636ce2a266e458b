"""Several runs as one model: what it predicts, what it needs, what it refuses."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pandas
import pytest
from sklearn.datasets import load_wine

from mlp.base import RunError
from mlp.data import Sklearn
from mlp.ensemble import main
from mlp.evaluate import evaluate
from mlp.jobs import make_ensemble, members_of, resume_run, run_job
from mlp.runs import RunFolder, read_training
from mlp.tracking import deliver, mlflow_client, read_counterpart
from mlp.training import Predictor
from tests.cases import composed
from tests.records import make_child, make_sweep

pytestmark = pytest.mark.e2e

WINE = ("data=sklearn", "data.name=wine", "tracking=none", "trainer.max_epochs=3")
DIABETES = ("data=sklearn", "data.name=diabetes", "task=regression", *WINE[2:])


def train(*words: str) -> RunFolder:
    return run_job(composed(*words)).folder


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs that differ in all that members may differ in; to be copied."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLP_RUNS", str(tmp_path_factory.mktemp("stored")))
        train(*WINE, "name=first")
        train(*WINE, "name=other", "seed=1", "data.scale=robust", "model.hidden_sizes=[8]")
        return train(*WINE, "name=fold", "data.folds=5").path.parent


@pytest.fixture
def members(stored: Path, runs: Path) -> list[RunFolder]:
    shutil.copytree(stored, runs)
    return members_of(["first", "other"])


def rows() -> np.ndarray:
    return Sklearn(name="wine").load().x_train


class TestPredictions:
    def test_they_are_the_mean_of_the_members_probabilities(self, members: list[RunFolder]):
        ensemble = Predictor.load(make_ensemble(members).weights)
        alone = [Predictor.load(folder.weights).predict_proba(rows()) for folder in members]
        np.testing.assert_allclose(ensemble.predict_proba(rows()), sum(alone) / 2, rtol=1e-6)
        best = np.array(ensemble.names)[(alone[0] + alone[1]).argmax(axis=1)]
        assert ensemble.predict(rows()).tolist() == best.tolist()

    def test_numbers_are_averaged_in_their_own_units(self, runs: Path):
        members = [train(*DIABETES, f"seed={seed}") for seed in (0, 1)]  # two scales of the target
        folder = make_ensemble(members)
        x = Sklearn(name="diabetes").load("numbers").x_train
        alone = [Predictor.load(member.weights).predict(x) for member in members]
        prediction = Predictor.load(folder.weights).predict(x)
        np.testing.assert_allclose(prediction, np.mean(alone, axis=0), rtol=1e-6)
        worst = max(read_training(member).test.metrics["rmse"] for member in members)
        assert read_training(folder).test.metrics["rmse"] < worst


class TestRecord:
    def test_it_is_a_run_with_the_result_on_the_common_test_set(self, members: list[RunFolder]):
        folder = make_ensemble(members, "both")
        record = read_training(folder)
        assert (record.name, record.status) == ("both", "FINISHED")
        assert record.members == tuple(read_training(member).id for member in members)
        assert (folder.figures / "confusion.png").exists()
        told = record.test.metrics
        tested = folder.test_predictions.read_text().splitlines()[1:]
        right = [line.split(",")[1] == line.split(",")[2] for line in tested]
        assert told == {"accuracy": sum(right) / len(right)}
        assert evaluate("both").metrics == told

    def test_it_needs_its_members_no_longer(self, members: list[RunFolder]):
        folder = make_ensemble(members)
        told = Predictor.load(folder.weights).predict_proba(rows())
        for member in members:
            shutil.rmtree(member.path)
        assert np.array_equal(Predictor.load(folder.weights).predict_proba(rows()), told)
        assert evaluate(str(folder.path)).metrics == read_training(folder).test.metrics

    def test_there_is_nothing_to_resume(self, members: list[RunFolder]):
        make_ensemble(members, "both")
        with pytest.raises(RunError, match="both is an ensemble, of which there is nothing to"):
            resume_run("both")

    def test_a_name_that_leads_elsewhere_is_refused(self, members: list[RunFolder]):
        folder = make_ensemble(members)
        (folder.weights / "predictor.json").write_text('{"members": ["../../x"]}')
        with pytest.raises(RunError, match="names no folder beside it"):
            Predictor.load(folder.weights)


def test_it_is_served_as_one_model(tracked: Path, monkeypatch: pytest.MonkeyPatch):
    from mlflow.pyfunc import load_model

    monkeypatch.setattr(sys, "path", sys.path[:])  # MLflow leaves the model's code in it
    words = [word for word in WINE if word != "tracking=none"]
    folder = make_ensemble([train(*words, f"seed={seed}") for seed in (0, 1)])
    deliver(folder)
    (output,) = mlflow_client().get_run(read_counterpart(folder).run_id).outputs.model_outputs
    uri = mlflow_client().get_logged_model(output.model_id).artifact_location
    table = load_wine(as_frame=True).data
    answer = load_model(uri).predict(table)
    pandas.testing.assert_frame_equal(answer, Predictor.load(folder.weights).table(table))


class TestMembers:
    def test_a_sweep_stands_for_its_best_setting_or_its_best_runs(self, runs: Path):
        make_sweep(runs)
        for lr, values in {1: [0.1, 0.4], 2: [0.2, 0.5]}.items():
            for seed, value in enumerate(values):
                make_child(runs, f"{lr}{seed}", {"optimizer.lr": lr, "seed": seed}, value)

        def named(*arguments) -> list[str]:
            return [folder.path.name for folder in members_of(*arguments)]

        assert named(["latest"]) == named(["5eed"]) == ["10", "11"]
        assert named(["5eed"], 3) == ["10", "20", "11"]
        assert named(["21", "5eed", "10"]) == ["21", "10", "11"]
        with pytest.raises(RunError, match="sweep-5eed has 4 ranked runs, and not 5"):
            members_of(["5eed"], 5)


class TestRefusal:
    """In one sentence, and nothing is written."""

    @pytest.mark.parametrize(
        ("names", "message"),
        [
            (["first"], "an ensemble is made of two or more runs, got 1"),
            (["first", "fold"], "first and fold were tested on different rows: one may have"),
            (["first", "numbers"], "first and numbers were trained on different data"),
            (["first", "bare"], "bare has no weights to predict with: it is failed"),
            (["first", "both"], "both is an ensemble already; name its members"),
        ],
    )
    def test_members_that_are_no_one_model(
        self, members: list[RunFolder], runs: Path, names: list[str], message: str
    ):
        if "numbers" in names:
            train(*DIABETES, "name=numbers")
        make_child(runs, "bare", {}, None, name="bare", status="FAILED", sweep=None)
        make_ensemble(members, "both")
        before = sorted(runs.iterdir())
        with pytest.raises(RunError, match=message):
            make_ensemble(members_of(names))
        assert sorted(runs.iterdir()) == before

    def test_top_is_two_or_more(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ):
        monkeypatch.setattr("sys.argv", ["mlp ensemble", "latest", "--top", "1"])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == 2
        assert "--top must be at least 2, got 1" in capsys.readouterr().err
