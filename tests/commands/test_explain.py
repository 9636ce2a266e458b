"""``mlp explain``: a page of one example's numbers, which are those of the network."""

import re

import numpy as np
import pytest

from mlp.base import UserError
from mlp.data import Digits
from mlp.explain import main
from mlp.jobs import explain_example
from mlp.runs import find_run
from mlp.training import Predictor

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("without_figures")]

QUICK = ("tracking=none", "trainer.max_epochs=2")
HOUSES = ("data=csv", "data.path=../houses.csv", "data.target=price", "task=regression")
NUMBER = r"-?\d[\d.]*(?:e[-+]\d+)?"


@pytest.fixture
def page(mlp_run, monkeypatch, capsys):
    """Return a function that trains, and gives the page on an example and its lines."""

    def explained(*words: str, example: int = 3) -> str:
        assert mlp_run(*words, *QUICK).status == 0
        capsys.readouterr()
        monkeypatch.setattr("sys.argv", ["mlp explain", "latest", "--example", str(example)])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        assert (end.value.code, said.err) == (0, "")
        return said.out

    return explained


@pytest.fixture
def houses(tmp_path):
    rng = np.random.default_rng(0)
    rows = [f"{a:.2f},{rng.choice(['Ulm', 'Rome'])},{3 * a:.2f}" for a in rng.normal(size=90)]
    (tmp_path / "houses.csv").write_text("\n".join(["area,city,price", *rows]))


@pytest.mark.parametrize(
    "words",
    [
        ["data=mnist_5k"],
        ["data=moons", "task=binary", "model.batch_norm=true", "model.dropout=0.2"],
        ["data=digits", "model.hidden_sizes=[9,9,9,9,9,9]", "model.activation=gelu"],
        ["data=moons", "model=realmlp", "loss=mean_squared_error"],
        HOUSES,
    ],
)
def test_a_page(page, houses, words):
    lines = page(*words).splitlines()
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 80


def test_its_numbers_are_the_network_s(page):
    out = page("data=digits", "model.hidden_sizes=[12,8]", "model.activation=tanh")
    data, predictor = Digits().load(), Predictor.load(find_run("latest").weights)
    raw, label = data.x_test[3:4], data.y_test[3]
    network = predictor.network
    x = predictor.scaler.transform(raw, np.empty(raw.shape, np.float32))
    W1, b1, W2, b2, W3, b3 = (array for _, array in network.named_arrays())
    a1 = np.tanh(x @ W1 + b1)
    a2 = np.tanh(a1 @ W2 + b2)
    probabilities = predictor.predict_proba(raw)[0]
    delta3 = probabilities - np.eye(10)[label]
    delta2 = delta3 @ W3.T * (1 - a2[0] ** 2)
    delta1 = delta2 @ W2.T * (1 - a1[0] ** 2)
    arrays = {"z1": x @ W1 + b1, "a1": a1, "z2": a1 @ W2 + b2, "a2": a2}
    arrays |= {"δ1": delta1, "δ2": delta2}
    for name, array in arrays.items():
        line = re.search(rf"^{name} = .*\n    (.*)", out, re.M)[1]
        shown = re.findall(rf"\[(\d+)\] ({NUMBER})", line)
        assert len(shown) >= 4
        for place, value in shown:
            assert float(value) == pytest.approx(array.ravel()[int(place)], rel=2e-2, abs=6e-5)
        assert int(shown[0][0]) == np.abs(array).argmax()
    table = re.findall(rf"^    \[(\d)\] \d((?: +{NUMBER}){{4}})$", out, re.M)
    expected = np.column_stack([(a2 @ W3 + b3)[0], probabilities, np.eye(10)[label], delta3])
    assert [int(k) for k, _ in table] == list(range(10))
    shown = [list(map(float, numbers.split())) for _, numbers in table]
    np.testing.assert_allclose(shown, expected, rtol=1e-2, atol=6e-5)
    loss = float(re.search(rf"L = −Σ t·log a = ({NUMBER})", out)[1])
    assert loss == pytest.approx(-np.log(probabilities[label]), abs=6e-5)
    i, j = np.abs(x[0]).argmax(), np.abs(delta1).argmax()
    gradient = float(re.search(rf"dL/dW1\[{i},{j}\] = .* = ({NUMBER})", out)[1])
    assert gradient == pytest.approx(x[0, i] * delta1[j], rel=1e-3)
    assert f"true: {label}    predicted: {probabilities.argmax()}" in out


def test_of_a_table_the_cells_are_shown(page, houses):
    out = page(*HOUSES, "data.test_fraction=0.3")
    assert re.search(rf"^area {NUMBER}, city (Ulm|Rome)\ntrue: {NUMBER} +predicted: ", out, re.M)


@pytest.mark.parametrize("example", [360, -1])
def test_there_is_no_such_example(mlp_run, example):
    mlp_run("data=digits", *QUICK)
    with pytest.raises(UserError, match=f"--example must be from 0 to 359, got {example}"):
        explain_example(find_run("latest"), example)


def test_held_out_rows_are_the_test_examples(mlp_run):
    """As test_predictions.csv has them."""
    mlp_run("data=digits", "data.folds=5", *QUICK)
    folder = find_run("latest")
    rows = folder.test_predictions.read_text().splitlines()[1:]
    for place in (0, 17, len(rows) - 1):
        _, truth, answer, _ = rows[place].split(",")
        example, trace, _ = explain_example(folder, place)
        assert (example.truth, example.answer) == (truth, answer)
        assert trace.t.argmax() == int(truth)
