"""The runner from Python: three lines from data to predictions."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris

import mlp
from mlp.base import ConfigError, DataError


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(runs, tmp_path, monkeypatch, without_figures):
    monkeypatch.setattr("mlp.base.paths.project_root", lambda: tmp_path)


def fit(x, y, *overrides, **settings):
    return mlp.fit(x, y, "tracking=none", *overrides, quiet=True, **settings)


@pytest.mark.e2e
def test_arrays():
    """A run like any other, found again by its id, with the labels' own names."""
    x, y = load_iris(return_X_y=True)
    names = load_iris().target_names[y]
    run = fit(x, names, hidden_sizes=[np.int64(16)], lr=0.01, batch_size=8, optimizer="nadam")
    assert run.config["model"]["hidden_sizes"] == [16]
    assert run.config["optimizer"] == {**run.config["optimizer"], "lr": 0.01}
    assert (run.predict(x) == names).mean() > 0.9
    assert run.predict_proba(x).shape == (150, 3)
    assert "timestamp" not in run.history
    assert run.history["val/loss"].idxmin() == run.record.best.epoch
    assert [axes.get_title() for axes in run.plot().axes] == ["Loss", "Accuracy"]
    again = mlp.Run(run.record.id[:8])
    assert again.metrics == run.metrics
    assert re.search(r"val/accuracy \d+\.\d\d%", repr(again))


@pytest.mark.e2e
def test_a_frame_with_categories_and_gaps():
    """Numbers come back in their own units, from raw columns."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"size": rng.normal(90, 20, 200), "town": rng.choice(["a", "b"], 200)})
    price = (3000 * frame["size"] + 50_000 * (frame.town == "a")).rename("price")
    frame.loc[:9, "size"] = np.nan
    run = fit(frame, price, task="regression", max_epochs=60, lr=0.01)
    assert run.metrics["val/r2"] > 0.8
    assert run.predict(frame[10:]) == pytest.approx(price[10:], rel=0.5)


@pytest.mark.e2e
def test_all_runs():
    """One row each, named as by MLflow; without parameters where they cannot be read."""
    assert mlp.runs().query("status == 'FINISHED'").empty
    x, y = load_iris(return_X_y=True)
    fit(x, y, "tags.project=thesis", max_epochs=2, seed=3)
    fit(x, y, max_epochs=2, seed=4)
    frame = mlp.runs()
    assert frame["params.seed"].tolist() == [3, 4]
    assert frame["metrics.val/loss"].notna().all()
    assert len(frame[frame["tags.project"] == "thesis"]) == 1
    assert "params.trainer.patience" not in frame
    assert mlp.runs(all_params=True)["params.trainer.patience"].tolist() == [10, 10]
    (mlp.Run("latest").folder / "config.yaml").write_text("a: [1")
    assert mlp.runs()["params.seed"].dropna().tolist() == [3]


@pytest.mark.e2e
@pytest.mark.parametrize("kind", [int, float, str, bool])
def test_predictions_are_labels_of_the_kind_that_was_passed(kind):
    """For arrays and frames alike, also of a run that is opened again."""
    x, y = load_iris(return_X_y=True)
    y = (y > 0).astype(kind)
    for inputs in (x, pd.DataFrame(x)):
        run = fit(inputs, y, hidden_sizes=[16], lr=0.05, batch_size=8, max_epochs=20)
        for one in (run, mlp.Run(run.record.id)):
            assert one.predict(inputs).dtype.kind == y.dtype.kind
            assert (one.predict(inputs) == y).mean() > 0.9


@pytest.mark.parametrize("inputs", [np.asarray, pd.DataFrame])
def test_numbers_with_fractions_are_no_labels(inputs):
    with pytest.raises(DataError, match=r"labels should be whole numbers.*task=regression"):
        fit(inputs(np.eye(4)), [0.5, 1.5, 0.5, 1.5])


def test_settings_that_are_none():
    """The nearest one is offered; one that two groups have is to be named in full."""
    x, y = load_iris(return_X_y=True)
    with pytest.raises(ConfigError, match="no setting hidden_size; did you mean 'hidden_sizes'"):
        fit(x, y, hidden_size=[3])
    with pytest.raises(ConfigError, match="metrics"):
        fit(x, y, metrics=["f2"])


@pytest.mark.e2e
def test_several_targets_and_labels_of_any_kind():
    """By the names of their frame, else numbered; and true or false."""
    rng = np.random.default_rng(0)
    x = pd.DataFrame(rng.normal(size=(60, 2)))
    for y in (x.to_numpy(), x.set_axis(["y1", "y2"], axis=1)):
        run = fit(x, y, task="regression", max_epochs=1)
        assert run.record.data.targets == ("y1", "y2")
    run = fit(x.to_numpy(), x[0] > 0, max_epochs=1)
    assert run.predict(x).dtype == bool
    assert fit(x, x[0] > 0, max_epochs=1).record.data.classes == ("False", "True")


@pytest.mark.parametrize(
    ("x", "y", "sentence"),
    [
        ({"a": [1, 2]}, [0], "x has 2 rows and y 1"),
        ({"a": [1, 2], "y": [1, 2]}, [0, 1], "more than one column of the name 'y'"),
        ({"a": [1, "b"]}, [0, 1], "x and y make no table: .*column a"),
        ({"a": [1, 2]}, np.zeros((2, 2, 2)), "x and y make no table"),
        ({"a": [1, 2]}, [0, None], "^row 2, column y: the target is missing"),
        ({"a": [None, None]}, [0, 1], "^column a is empty"),
    ],
)
def test_what_makes_no_table(x, y, sentence):
    with pytest.raises(DataError, match=sentence):
        fit(pd.DataFrame(x), y)


def test_arrays_that_are_refused_are_not_stored(tmp_path, monkeypatch):
    """The sentence is about what was passed, not about a file."""
    monkeypatch.setattr("mlp.jobs.notebook.data_dir", lambda: tmp_path)
    with pytest.raises(DataError, match=r"^x holds values that are not finite .* row 3"):
        fit(np.diag([1, 1, 1, np.nan]), [0, 1, 0, 1])
    with pytest.raises(DataError, match=r"^x has shape \(4, 4\) and y \(3,\)"):
        fit(np.eye(4), [0, 1, 0])
    assert not [*(tmp_path / "arrays").iterdir()]
