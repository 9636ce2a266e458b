"""The model in MLflow: the same numbers as the network, from raw inputs, with NumPy alone."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlp.base import generator
from mlp.nn import MLP, SoftmaxCrossEntropy
from mlp.tracking import MLflowTracking, deliver, mlflow_client, read_counterpart
from tests.cases import Case, Finished, record_whole_run

ALONE = """
import sys
for name in ("hydra", "omegaconf", "filelock", "pooch", "mlxtend", "rich", "threadpoolctl"):
    sys.modules[name] = None  # an import of it fails
import json
from mlflow.pyfunc import load_model
model = load_model(sys.argv[1])
import mlp
rows = json.loads(sys.argv[2])
print(json.dumps([mlp.__file__, model.predict(rows).iloc[:, 1:].values.tolist()]))
"""


@pytest.fixture(autouse=True)
def path_of_modules(monkeypatch):
    """MLflow leaves the folder of the code that it loads in ``sys.path``."""
    monkeypatch.setattr(sys, "path", sys.path[:])


def run_id(finished: Finished) -> str:
    """Return the id of the run's counterpart."""
    return read_counterpart(finished.folder).run_id


@pytest.fixture
def uri(tracked: Path, finished: Finished) -> str:
    """Where the stored model lies."""
    client = mlflow_client()
    (output,) = client.get_run(run_id(finished)).outputs.model_outputs
    return client.get_logged_model(output.model_id).artifact_location


@pytest.fixture
def model(uri: str) -> Any:
    from mlflow.pyfunc import load_model

    return load_model(uri)


def probabilities(answer: Any) -> np.ndarray:
    assert list(answer) == ["prediction", "apple", "pear", "plum"]
    return answer.iloc[:, 1:].to_numpy()


def test_predictions_are_the_networks_outputs_bit_for_bit(model: Any, finished: Finished):
    """Raw bytes in, the labels and the probabilities of the evaluation out."""
    answer = model.predict(finished.case.dataset.x_test)
    assert np.array_equal(probabilities(answer), finished.evaluation.answers)
    labels = np.array(finished.case.dataset.classes)[finished.evaluation.predictions]
    assert answer["prediction"].tolist() == labels.tolist()


@pytest.mark.parametrize("form", ["uint8", "int64", "float64", "list", "frame"])
def test_raw_rows_are_taken_in_every_form(model: Any, finished: Finished, form: str):
    import pandas as pd

    raw = finished.case.dataset.x_test
    forms = {"list": raw.tolist(), "frame": pd.DataFrame(raw)}
    rows = forms[form] if form in forms else raw.astype(form)
    assert np.array_equal(probabilities(model.predict(rows)), finished.evaluation.answers)


def test_many_rows_and_none(model: Any, finished: Finished):
    """More rows than one batch are the batches one after the other."""
    raw = np.repeat(finished.case.dataset.x_test, 40, axis=0)
    single = finished.evaluation.answers.repeat(40, axis=0)
    np.testing.assert_allclose(probabilities(model.predict(raw)), single, rtol=1e-5)
    assert model.predict(raw[:0]).shape == (0, 4)


def test_rows_of_another_length_are_refused(model: Any):
    with pytest.raises(Exception, match=r"inputs must be of shape \(n, 16\), got \(2, 3\)"):
        model.predict(np.zeros((2, 3), np.float32))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "null"])
def test_numbers_that_are_none_are_answered_with_400(model: Any, number: str):
    """By MLflow's own scoring server."""
    from mlflow.exceptions import MlflowException
    from mlflow.pyfunc.scoring_server import invocations

    def answer(numbers: list[str]) -> Any:
        rows = f'{{"inputs": [[{", ".join(numbers)}]]}}'
        return invocations(rows, "application/json", model, None)

    with pytest.raises(MlflowException, match="finite") as refusal:
        answer([number] + ["0"] * 15)
    assert refusal.value.get_http_status_code() == 400
    assert answer(["0"] * 16).status == 200


def test_signature_and_example_explain_the_model(model: Any, finished: Finished):
    names = [column.name for column in model.metadata.signature.outputs.inputs]
    assert names == ["prediction", "apple", "pear", "plum"]
    assert model.metadata.metadata["classes"] == names[1:]
    assert np.array_equal(model.input_example, finished.case.dataset.x_train[:1])


def test_the_model_belongs_to_its_run(tracked: Path, finished: Finished):
    client = mlflow_client()
    (output,) = client.get_run(run_id(finished)).outputs.model_outputs
    model = client.get_logged_model(output.model_id)
    assert (model.source_run_id, model.name, model.status) == (run_id(finished), "model", "READY")


def test_no_pickle_is_stored(uri: str, finished: Finished):
    folder = Path(uri.removeprefix("file://"))
    files = [path for path in folder.rglob("*") if path.is_file()]
    kinds = {path.suffix for path in files if path.parent.name != "__pycache__"}  # left by loading
    assert kinds <= {"", ".npy", ".json", ".py", ".pyi", ".yaml", ".txt"}


def test_a_stranger_loads_it_with_numpy_and_mlflow_alone(uri: str, finished: Finished):
    """Another process, none of our other dependencies, and our code from beside the weights."""
    rows = json.dumps(finished.case.dataset.x_test.tolist())
    folder = uri.removeprefix("file://")
    done = subprocess.run(
        [sys.executable, "-c", ALONE, folder, rows], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    file, predictions = json.loads(done.stdout)
    assert file.startswith(folder)
    assert np.array_equal(np.float32(predictions), finished.evaluation.answers)


SQUARE = """
import numpy as np
from mlp.nn import ActivationFunction
from own_constants import SCALE


class Square(ActivationFunction):
    reads = "z"

    def forward(self, z, out, scratch):
        np.square(z, out=out)
        out *= SCALE

    def backward(self, z, a, delta, scratch):
        delta *= z
        delta *= 2 * SCALE
"""


def test_code_of_the_users_own_is_stored_beside_it(
    tracked: Path, case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The model is served where nobody has it."""
    (tmp_path / "own_square.py").write_text(SQUARE)
    (tmp_path / "own_constants.py").write_text("SCALE = 0.1\n")
    monkeypatch.syspath_prepend(tmp_path)
    model = MLP([6], "own_square.Square")
    network = model.build(16, 3, SoftmaxCrossEntropy(), generator(0, "init"))
    case = case._replace(model=model, network=network)
    config = {"_target_": "mlp.nn.MLP", "activation": "own_square.Square"}
    finished = record_whole_run(case, MLflowTracking(), model=config)
    deliver(finished.folder)
    client = mlflow_client()
    (output,) = client.get_run(run_id(finished)).outputs.model_outputs
    location = client.get_logged_model(output.model_id).artifact_location
    rows = json.dumps(case.dataset.x_test.tolist())
    command = [sys.executable, "-c", ALONE, location.removeprefix("file://"), rows]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    _, predictions = json.loads(done.stdout)
    assert np.array_equal(np.float32(predictions), finished.evaluation.answers)
