"""``mlp export``: a run becomes a file that answers raw inputs without us."""

import sys

import numpy as np
import pandas as pd
import pytest

from mlp.base import UserError
from mlp.export import export
from mlp.runs import find_run
from mlp.training import Predictor

onnxruntime = pytest.importorskip("onnxruntime")

pytestmark = pytest.mark.usefixtures("without_figures")

RUN = ("data=csv", "data.path=../mine.csv", "data.target=kind", "data.scale=robust")
RUN += ("model.hidden_sizes=[8]", "trainer.max_epochs=2", "tracking=none")


@pytest.fixture
def frame(mlp_run, tmp_path):
    """A table that the latest run was trained on."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"size": rng.normal(size=90), "city": rng.choice(["A", "B", "C"], 90)})
    frame["kind"] = np.where(frame["size"] + (frame["city"] == "B") > 0.3, "big", "small")
    frame.loc[::9, ["size", "city"]] = np.nan
    frame.to_csv(tmp_path / "mine.csv", index=False)
    assert mlp_run(*RUN).status == 0
    return frame


def test_the_file_answers_as_the_run(frame, tmp_path, capsys):
    path = tmp_path / "model.onnx"
    path.write_text("replaced")
    export("latest", path)
    assert capsys.readouterr().out.splitlines() == [
        str(path),
        "inputs   size  double  (n, 1)",
        "         city  string  (n, 1)",
        "outputs  label          string  (n)",
        "         probabilities  float  (n, 2)",
    ]
    session = onnxruntime.InferenceSession(path)
    cities = frame[["city"]].fillna("").to_numpy(object)
    labels, probabilities = session.run(None, {"size": frame[["size"]].to_numpy(), "city": cities})
    predictor = Predictor.load(find_run("latest").weights)
    np.testing.assert_allclose(probabilities, predictor.predict_proba(frame), rtol=0, atol=1e-6)
    np.testing.assert_array_equal(labels, predictor.predict(frame))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("no folder/model.onnx", "cannot be written: No such file"), ("", "cannot be written: Is a")],
)
def test_a_place_that_cannot_be_written(frame, tmp_path, name, sentence):
    with pytest.raises(UserError, match=sentence):
        export("latest", tmp_path / name)
    assert not [*tmp_path.rglob("*.part")]


def test_without_the_extra(frame, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(UserError, match=r"mlp export needs onnx: pip install 'mlp\[onnx\]'"):
        export("latest", tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()
