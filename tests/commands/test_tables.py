"""A table from the command line: trained on, evaluated, predicted from by column names."""

import shutil

import numpy as np
import pandas as pd
import pytest

from mlp.base import ConfigError, DataError, RunError
from mlp.evaluate import evaluate
from mlp.runs import find_run
from mlp.training import Predictor

pytestmark = pytest.mark.usefixtures("without_figures")

RUN = ("data=csv", "data.path=../mine.csv", "data.target=kind", "data.scale=robust")
RUN += ("model.hidden_sizes=[8]", "trainer.max_epochs=5", "tracking=none")


@pytest.fixture
def frame(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"size": rng.normal(size=200), "city": rng.choice(["A", "B", "C"], 200)})
    frame["kind"] = np.where(frame["size"] + (frame["city"] == "B") > 0.3, "big", "small")
    frame.loc[::9, "size"] = np.nan
    frame.to_csv(tmp_path / "mine.csv", index=False)
    return frame


def test_a_table_is_trained_on_and_predicted_from(mlp_run, frame, tmp_path):
    assert mlp_run(*RUN).status == 0
    folder = find_run("latest")
    own = evaluate("latest")
    assert len(own.labels) == 40
    predictor = Predictor.load(folder.weights)
    frame = frame.drop(columns="kind")
    labels = predictor.predict(frame[["city", "size"]])
    np.testing.assert_array_equal(predictor.predict(frame.to_dict("list")), labels)

    rows = pd.read_csv(tmp_path / "mine.csv").iloc[:3]
    rows.to_csv(tmp_path / "other.csv", index=False)
    other = evaluate("latest", [f"data.path={tmp_path / 'other.csv'}"])
    np.testing.assert_array_equal(other.answers, predictor.predict_proba(frame[:3]))


def test_rows_that_were_trained_on_are_no_test_set(mlp_run, frame, tmp_path):
    assert mlp_run(*RUN).status == 0
    for change in ("data.test_seed=1", "data.test_fraction=0.5", "data.folds=3"):
        with pytest.raises(ConfigError, match=f"'{change}' would test on rows that"):
            evaluate("latest", [change])
    shutil.copy(tmp_path / "mine.csv", tmp_path / "moved.csv")
    assert len(evaluate("latest", [f"data.path={tmp_path / 'moved.csv'}"]).labels) == 40
    pd.concat([frame, frame[:1]]).to_csv(tmp_path / "mine.csv", index=False)
    for change in ([], ["threads=1"], ["data.test_fraction=0.5"]):
        with pytest.raises(RunError, match=r"has changed since run-.* was trained on it; data"):
            evaluate("latest", change)
    assert len(evaluate("latest", [f"data.path={tmp_path / 'mine.csv'}"]).labels) == 201


def test_a_second_table_to_test_on(mlp_run, frame, tmp_path):
    """Another one in its place is evaluated; it does not stay when the first is replaced."""
    for name, n in (("test", 30), ("other", 20)):
        frame[:n].to_csv(tmp_path / f"{name}.csv", index=False)
    test, other = (f"{tmp_path / name}.csv" for name in ("test", "other"))
    assert mlp_run(*RUN, f"data.test_path={test}").status == 0
    assert len(evaluate("latest").labels) == 30
    assert len(evaluate("latest", [f"data.test_path={other}"]).labels) == 20
    assert len(evaluate("latest", [f"data.path={other}"]).labels) == 20
    names = {path.name[:5] for path in find_run("latest").evaluations.iterdir()}
    assert names == {"other"}


def test_folds_test_on_every_row_once(mlp_run, frame):
    n = []
    for fold in range(2):
        assert mlp_run(*RUN, "data.folds=2", f"data.fold={fold}", "test=false").status == 0
        n.append(len(evaluate("latest").labels))
    assert n == [100, 100]


def test_a_bad_table_ends_in_one_sentence(mlp_run, frame, tmp_path):
    (tmp_path / "mine.csv").write_text("size,kind\n1,a\n2,b\n3\n")
    said = mlp_run(*RUN)
    assert said.status == 2
    assert said.err.strip().endswith("mine.csv, row 4: 1 values, where the first row has 2")


def test_numbers_are_predicted_in_their_own_units(mlp_run, frame, tmp_path):
    frame["price"], frame["weight"] = 1000 * frame.index + 5e6, 3 - frame.index
    frame.drop(columns="kind").to_csv(tmp_path / "mine.csv", index=False)
    targets = "data.target=[price,weight]"
    assert mlp_run(*RUN, targets, "task=regression", "trainer.max_epochs=2").status == 0
    folder = find_run("latest")
    stored = pd.read_csv(folder.test_predictions)
    assert list(stored)[1:] == ["true price", "predicted price", "true weight", "predicted weight"]
    assert stored["predicted price"].between(4e6, 6e6).all()
    own = evaluate("latest")
    np.testing.assert_allclose(own.answers[:, 0], stored["predicted price"])
    answers = Predictor.load(folder.weights).predict(frame)
    assert answers.shape == (200, 2)
    for others in ("[weight,price]", "price"):
        with pytest.raises(DataError, match=r"mine has the targets .*; this network predicts pr"):
            evaluate("latest", [f"data.target={others}"])
    said = mlp_run(*RUN, "task=regression")
    assert said.status == 2
    assert "row 2, column kind: " in said.err or "no column 'kind'" in said.err


def test_the_data_it_names_already_keep_their_settings(mlp_run, frame, tmp_path):
    """``data=csv`` on a run that was trained on a table asks for no target again."""
    assert mlp_run(*RUN).status == 0
    frame.head(50).to_csv(tmp_path / "other.csv", index=False)
    evaluation = evaluate("latest", ["data=csv", f"data.path={tmp_path / 'other.csv'}"])
    assert len(evaluation.labels) == 50
