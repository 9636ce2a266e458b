"""Tasks: their metrics against scikit-learn's, scaled numbers, one output for two classes."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics
from sklearn.exceptions import UndefinedMetricWarning

from mlp.base import DataError, RunError
from mlp.data import Dataset, Part, Parts, Scaler, TargetScaler
from mlp.nn import MLP, Adam, BinaryCrossEntropy, Constant, MeanSquaredError, SoftmaxCrossEntropy
from mlp.training import (
    BinaryClassification,
    Classification,
    Evaluator,
    Predictor,
    Regression,
    Trainer,
)

RNG = np.random.default_rng(0)
PLAIN = Scaler(np.zeros(3, "float32"), np.ones(3, "float32"))


def split(x, y):
    """50 rows that train, 30 that validate."""
    return Parts(
        Part(x, y, np.arange(50), PLAIN), Part(x, y, np.arange(50, 80), PLAIN), None, PLAIN
    )


@pytest.fixture
def numbers():
    """Two targets of very different size, linear in three features but for some noise."""
    x = RNG.standard_normal((80, 3)).astype("float32")
    y = x @ RNG.standard_normal((3, 2)) + 0.1 * RNG.standard_normal((80, 2))
    return split(x, y * [1e6, 1e-3] + [5e6, 2.0])


def test_regression_metrics():
    """As scikit-learn computes them; a scorer of its may be asked for as well."""
    y, answers = RNG.standard_normal((40, 2)), RNG.standard_normal((40, 2))
    y[:, 1] = 3.0  # constant: R² has no spread to explain
    found = Regression(metrics=["neg_mean_absolute_error"]).measure(answers, y)
    assert found == pytest.approx(
        {
            "rmse": np.sqrt(metrics.mean_squared_error(y, answers)),
            "mse": metrics.mean_squared_error(y, answers),
            "mae": metrics.mean_absolute_error(y, answers),
            "r2": metrics.r2_score(y, answers),
            "neg_mean_absolute_error": -metrics.mean_absolute_error(y, answers),
        }
    )


def test_classification_metrics():
    """Accuracy, and what was asked for."""
    y, scores = RNG.integers(0, 3, 60), RNG.dirichlet([1, 1, 1], 60)
    found = Classification(metrics=["f1_macro", "roc_auc_ovr"]).measure(scores, y)
    assert found == pytest.approx(
        {
            "accuracy": metrics.accuracy_score(y, scores.argmax(axis=1)),
            "f1_macro": metrics.f1_score(y, scores.argmax(axis=1), average="macro"),
            "roc_auc_ovr": metrics.roc_auc_score(y, scores, multi_class="ovr"),
        }
    )


def test_a_metric_that_cannot_be_measured():
    """It is named: here, no example is of the second class."""
    with pytest.raises(DataError, match=r"task\.metrics: roc_auc_ovr cannot be measured"):
        Classification(metrics=["roc_auc_ovr"]).measure(
            RNG.dirichlet([1, 1, 1], 9), np.zeros(9, int)
        )


def test_an_unknown_metric():
    """The nearest name is offered."""
    with pytest.raises(ValueError, match=r"metrics .* got 'f1_makro'; did you mean 'f1_macro'"):
        Classification(metrics=["f1_makro"])


def test_losses_that_do_not_fit():
    """A softmax over one output says nothing; a sigmoid cannot give every number."""
    with pytest.raises(ValueError, match="loss must be one for a single output"):
        BinaryClassification().check(SoftmaxCrossEntropy())
    with pytest.raises(ValueError, match="loss must have targets 0 and 1"):
        BinaryClassification().check(MeanSquaredError("tanh", low=-1))
    with pytest.raises(ValueError, match="loss must have linear outputs"):
        Regression().check(MeanSquaredError("sigmoid"))


def test_targets_are_standardised_on_the_training_rows(numbers):
    """And given back in their own units."""
    parts = Regression().prepare(numbers)
    trained_on = parts.train.labels.astype(float)
    np.testing.assert_allclose(trained_on.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(trained_on.std(axis=0), 1, rtol=1e-6)
    back = parts.val.target_scaler.inverse(parts.val.labels)
    np.testing.assert_allclose(back, numbers.val.labels, rtol=1e-5)


def test_a_constant_target():
    """It is only shifted, also where rounding gives it a deviation; nor is R² divided by that."""
    y = np.full((10, 1), 0.1)
    assert TargetScaler.fit(y).deviation == 1
    assert Regression().measure(y + 1, y)["r2"] == 0
    with pytest.raises(DataError, match="the target price is the same in all rows"):
        Regression().n_out(Dataset("own", y, y, None, None, (), None, None, targets=("price",)))


def test_a_monitor_that_is_no_number_ends_the_training(numbers):
    """R² of scikit-learn's is not defined for a single row."""
    task, val = Regression(["r2"]), replace(numbers.val, rows=np.array([3]))
    parts = task.prepare(replace(numbers, val=val))
    network = MLP([4]).build(3, 2, MeanSquaredError("identity"), np.random.default_rng(1))
    trainer = Trainer(max_epochs=2, monitor="val/r2")
    refused = pytest.raises(DataError, match=r"trainer\.monitor=val/r2 is nan on these 1 valid")
    with pytest.warns(UndefinedMetricWarning), refused:
        trainer.fit(network, Adam(lr=1e-3), Constant(), parts, 0, task=task)


def test_regression_learns(numbers, tmp_path):
    """In the targets' units, in training and from the stored predictor alike."""
    task, model = Regression(), MLP([16])
    parts = task.prepare(numbers)
    network = model.build(3, 2, MeanSquaredError("identity"), np.random.default_rng(1))
    trainer = Trainer(max_epochs=60, batch_size=10, monitor="val/rmse", patience=None)
    outcome = trainer.fit(network, Adam(lr=0.01), Constant(), parts, 0, task=task)
    evaluation = Evaluator(network, parts.val, 1000, task)()
    assert outcome.best["val/r2"] == evaluation.metrics["r2"] > 0.9
    assert outcome.best["train/rmse"] < outcome.history[0]["train/rmse"] / 3
    predictor = Predictor(network, PLAIN, ["a", "b"], 1000, task, parts.train.target_scaler)
    predictor.save(tmp_path, model)
    x = numbers.val.x[numbers.val.rows]
    again = Predictor.load(tmp_path)
    np.testing.assert_array_equal(again.predict(x), evaluation.answers)
    np.testing.assert_allclose(again.predict(x), numbers.val.labels, rtol=0.5, atol=0.5e6)
    with pytest.raises(AttributeError, match="numbers, which have no probabilities"):
        again.predict_proba(x)
    (tmp_path / "targets.npy").unlink()
    with pytest.raises(RunError, match=r"targets\.npy does not say how targets were scaled"):
        Predictor.load(tmp_path)


def test_train_rmse_is_that_of_the_batches(numbers):
    """With a rate of next to nothing it is the RMSE of the training part."""
    task = Regression()
    parts = task.prepare(numbers)
    network = MLP([4]).build(3, 2, MeanSquaredError("identity"), np.random.default_rng(1))
    before = Evaluator(network, parts.train, 1000, task)().metrics["rmse"]
    trainer = Trainer(max_epochs=1, batch_size=7)
    outcome = trainer.fit(network, Adam(lr=1e-12), Constant(), parts, 0, task=task)
    assert outcome.best["train/rmse"] == pytest.approx(before, rel=1e-5)


def test_one_output_for_two_classes(tmp_path):
    """Its gradient and probabilities are those of logistic regression."""
    x = RNG.standard_normal((80, 3)).astype("float32")
    y = (x[:, 0] + 0.3 * RNG.standard_normal(80) > 0).astype(np.int64)
    parts, task, model = split(x, y), BinaryClassification(["roc_auc"]), MLP([])
    network = model.build(3, 1, BinaryCrossEntropy(), np.random.default_rng(1))
    trainer = Trainer(max_epochs=40, batch_size=10, monitor="val/roc_auc")
    outcome = trainer.fit(network, Adam(lr=0.05), Constant(), parts, 0, task=task)
    predictor = Predictor(network, PLAIN, ["no", "yes"], 1000, task)
    predictor.save(tmp_path, model)
    proba = Predictor.load(tmp_path).predict_proba(x[parts.val.rows])
    p = 1 / (1 + np.exp(-(x[parts.val.rows] @ network.layers[0].W + network.layers[0].b)))
    np.testing.assert_allclose(proba, np.hstack([1 - p, p]), rtol=1e-5)
    accuracy = (proba.argmax(axis=1) == y[parts.val.rows]).mean()
    assert outcome.best["val/accuracy"] == accuracy > 0.8
    assert set(predictor.predict(x)) == {"no", "yes"}


def test_more_than_two_classes_for_one_output():
    """The data are named."""
    x = np.zeros((3, 3), "float32")
    dataset = Dataset("iris", x, np.arange(3), None, None, ("a", "b", "c"), None, None)
    with pytest.raises(DataError, match="iris has 3 classes, and task=binary needs two"):
        BinaryClassification().n_out(dataset)
