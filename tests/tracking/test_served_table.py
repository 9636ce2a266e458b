"""A network trained on a table, in MLflow: raw columns by name in, labels and probabilities out."""

import json
import sys
from time import monotonic, sleep
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlp.runs import find_run
from mlp.tracking import mlflow_client, read_counterpart
from mlp.training import Predictor

RUN = ("data=csv", "data.path=../mine.csv", "model.hidden_sizes=[4]", "trainer.max_epochs=1")


@pytest.fixture
def frame(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", sys.path[:])  # MLflow leaves the folder of the code there
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"age": rng.integers(0, 90, 100), "city": rng.choice(["A", "B", "C"], 100)}
    )
    frame["pool"] = rng.random(100) < 0.5
    frame["kind"] = np.where(frame["age"] > 40, "old", "new")
    frame["price"] = 1000.0 * frame["age"]
    frame.to_csv(tmp_path / "mine.csv", index=False)
    return frame


@pytest.fixture
def serve(mlp_run, tracked):
    """Train, and return the model that MLflow has, and the run's own predictor."""
    from mlflow.pyfunc import load_model

    def serve(*arguments: str) -> tuple[Any, Predictor]:
        assert mlp_run(*RUN, *arguments).status == 0
        folder = find_run("latest")
        until = monotonic() + 60
        while folder.undelivered.exists() and monotonic() < until:
            sleep(0.1)
        (output,) = mlflow_client().get_run(read_counterpart(folder).run_id).outputs.model_outputs
        uri = mlflow_client().get_logged_model(output.model_id).artifact_location
        return load_model(uri), Predictor.load(folder.weights)

    return serve


def answer(model, rows):
    """Post rows to MLflow's own scoring server; return its answer."""
    from mlflow.pyfunc.scoring_server import invocations

    body = json.dumps({"dataframe_records": rows})
    schema = model.metadata.get_input_schema()
    result = invocations(body, "application/json", model, schema)
    assert result.status == 200
    return json.loads(result.response)["predictions"]


@pytest.mark.e2e
def test_a_classifier_of_table_rows(serve, frame):
    from mlflow.exceptions import MlflowException

    model, predictor = serve("data.target=kind", "data.drop=[price]", "data.scale=robust")
    assert model.metadata.signature.inputs.input_names() == ["age", "city", "pool"]
    assert model.metadata.signature.outputs.input_names() == ["prediction", "new", "old"]
    assert model.metadata.metadata["columns"]["city"] == "categorical"
    pd.testing.assert_frame_equal(model.predict(frame), predictor.table(frame))
    pd.testing.assert_frame_equal(model.predict(model.input_example), predictor.table(frame[:1]))
    first, second = answer(
        model,
        [{"pool": True, "age": 5, "city": "A"}, {"age": None, "city": "elsewhere", "pool": None}],
    )
    assert first["prediction"] in ("new", "old")
    assert first["new"] + first["old"] == pytest.approx(1)
    assert set(second) == {"prediction", "new", "old"}
    for row, sentence in [
        ({"age": 5, "city": "A"}, "column pool is missing"),
        ({"age": "young", "city": "A", "pool": True}, "column age, row 1: 'young' is not a number"),
    ]:
        with pytest.raises(MlflowException, match=sentence) as refusal:
            answer(model, [row])
        assert refusal.value.get_http_status_code() == 400


@pytest.mark.e2e
def test_numbers_by_the_names_of_their_targets(serve, frame):
    model, predictor = serve("data.target=[price,age]", "data.drop=[kind]", "task=regression")
    [row] = answer(model, [{"city": "A", "pool": False}])
    np.testing.assert_allclose(
        [row["price"], row["age"]], predictor.predict({"city": ["A"], "pool": [False]})[0]
    )
