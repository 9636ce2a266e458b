"""A stored network predicts what the run itself did, to the last bit, from raw inputs."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

from mlp.base import RunError, generator
from mlp.nn import SoftmaxCrossEntropy
from mlp.training import Classification, Ensemble, Evaluator, Predictor
from tests.cases import make_case


@pytest.fixture
def case():
    case = make_case()
    case.train()
    return case


@pytest.fixture
def stored(case, tmp_path):
    case.predictor.save(tmp_path, case.model)
    return tmp_path


def test_equals_the_evaluation_of_the_run(case, stored):
    """Probabilities bit for bit, and the labels by their names."""
    evaluation = Evaluator(case.network, case.parts.test, 1000)()
    predictor = Predictor.load(stored)
    raw = case.dataset.x_test
    np.testing.assert_array_equal(predictor.predict_proba(raw), evaluation.answers)
    names = [case.dataset.classes[i] for i in evaluation.predictions]
    assert predictor.predict(raw).tolist() == names


def test_many_rows_go_through_in_batches(case):
    """Each batch is like the evaluation's of that size."""
    small = Predictor(case.network, case.parts.scaler, case.dataset.classes, batch_size=7)
    evaluation = Evaluator(case.network, case.parts.test, 7)()
    np.testing.assert_array_equal(small.predict_proba(case.dataset.x_test), evaluation.answers)


def test_images_and_objects_are_rows_of_numbers(case):
    """As `mlp.fit` takes them; and as a frame of pandas' nullable types is converted."""
    x = case.dataset.x_test
    expected = case.predictor.predict_proba(x)
    for form in (x.reshape(-1, 4, 4), x.astype(object)):
        np.testing.assert_array_equal(case.predictor.predict_proba(form), expected)


def test_no_rows(case):
    assert case.predictor.predict_proba(np.empty((0, 16))).shape == (0, 3)
    assert case.predictor.predict(np.empty((0, 16))).shape == (0,)


@pytest.mark.parametrize(
    ("x", "sentence"),
    [
        (np.zeros((2, 15)), r"of shape \(n, 16\), got \(2, 15\)"),
        (np.zeros(16), r"of shape \(n, 16\), got \(16,\)"),
        (np.full((1, 16), np.nan), "must be finite"),
        (np.full((1, 16), np.inf), "must be finite"),
        (np.full((1, 16), 1e39), "must be finite"),
        (np.full((1, 16), "a"), "must be real numbers"),
        (np.full((1, 16), "a", object), "must be numbers: could not convert"),
        (np.full((1, 16), 1j), "must be real numbers"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(case, x, sentence):
    with pytest.raises(ValueError, match=sentence):
        case.predictor.predict(x)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"classes": ["a"], "batch_size": 1000}', '{"classes": 3, "batch_size": 1}'],
)
def test_a_damaged_description_is_named(stored, content):
    (stored / "predictor.json").write_text(content)
    with pytest.raises(RunError, match=r"predictor.json does not describe a predictor"):
        Predictor.load(stored)


def test_description_is_plain(stored):
    described = json.loads((stored / "predictor.json").read_text())
    assert described == {
        "task": "mlp.training.tasks.Classification",
        "task_arguments": {},
        "names": ["apple", "pear", "plum"],
        "batch_size": 1000,
        "label_type": "str",
    }


@dataclass(frozen=True)
class Shifted(Classification):
    """Answers with each score raised."""

    by: float = 0.0

    def answers(self, outputs, scaler):
        return outputs + self.by


def test_a_task_keeps_what_it_was_made_with(case, tmp_path):
    predictor = case.predictor
    predictor.task = Shifted(["f1_macro"], by=2.5)
    predictor.save(tmp_path, case.model)
    raw = case.dataset.x_test
    np.testing.assert_array_equal(Predictor.load(tmp_path).answers(raw), predictor.answers(raw))


def untrained(case) -> Predictor:
    network = case.model.build(16, 3, SoftmaxCrossEntropy(), generator(1, "init"))
    return Predictor(network, case.parts.scaler, case.dataset.classes, 1000)


class TestEnsemble:
    def test_it_names_the_class_that_is_most_probable_on_the_whole(self, case):
        members = [case.predictor, other := untrained(case)]
        ensemble, x = Ensemble(members), case.dataset.x_test
        mean = (case.predictor.predict_proba(x) + other.predict_proba(x)) / 2
        np.testing.assert_allclose(ensemble.predict_proba(x), mean, rtol=1e-6)
        assert ensemble.predict(x).tolist() == [ensemble.names[i] for i in mean.argmax(axis=1)]

    def test_members_that_predict_other_things_are_refused(self, case):
        other = Predictor(case.network, case.parts.scaler, ("a", "b", "c"), 1000)
        with pytest.raises(ValueError, match="members must predict the same"):
            Ensemble([case.predictor, other])
