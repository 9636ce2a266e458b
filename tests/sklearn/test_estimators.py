"""The estimators against scikit-learn's own checks, and among its tools."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from mlp.nn import SGD, Adam, MeanSquaredError, SoftmaxCrossEntropy
from mlp.sklearn import MLPClassifier, MLPRegressor


@parametrize_with_checks([MLPClassifier(max_epochs=30), MLPRegressor(max_epochs=30)])
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


def test_learns_iris_in_a_pipeline():
    """With cross-validation, from a frame, and better than chance by far."""
    frame = load_iris(as_frame=True)
    model = make_pipeline(StandardScaler(), MLPClassifier([16], lr=0.01, random_state=0))
    assert cross_val_score(model, frame.data, frame.target_names[frame.target]).mean() > 0.9


def test_grid_search():
    """Over plain values and over objects, of which the search's own are left as they were."""
    x, y = load_diabetes(return_X_y=True)
    grid = {"optimizer": [SGD(0.01), Adam(0.01)], "hidden_sizes": [[], [16]]}
    search = GridSearchCV(MLPRegressor(random_state=0, max_epochs=40), grid, cv=2)
    assert search.fit(x, y).best_score_ > 0.35
    assert grid["optimizer"] == [SGD(0.01), Adam(0.01)]


def test_several_targets():
    """In the form of what was fitted."""
    x, y = load_diabetes(return_X_y=True)
    model = MLPRegressor([8], max_epochs=3, random_state=0).fit(x, np.column_stack([y, 1e3 * y]))
    assert model.predict(x[:5]).shape == (5, 2)
    assert model.fit(x, y).predict(x[:5]).shape == (5,)


def test_equal_seeds_equal_bits_and_names_of_columns():
    """Also after pickling; and another column's name is refused, as scikit-learn does."""
    x, y = load_iris(return_X_y=True, as_frame=True)
    first, second = (MLPClassifier([8], max_epochs=5, random_state=3).fit(x, y) for _ in "ab")
    again = pickle.loads(pickle.dumps(first))
    np.testing.assert_array_equal(first.predict_proba(x), second.predict_proba(x))
    np.testing.assert_array_equal(first.predict_proba(x), again.predict_proba(x))
    with pytest.raises(ValueError, match="feature names should match"):
        first.predict(x.rename(columns={"sepal length (cm)": "length"}))


def test_a_pickled_network_can_be_trained_on():
    """Its parameters are views into one vector again."""
    x, y = load_iris(return_X_y=True)
    network = pickle.loads(
        pickle.dumps(MLPClassifier([8], max_epochs=2).fit(x, y).predictor_)
    ).network
    network.params[:] = 0
    assert not any(array.any() for _, array in network.named_arrays())


def test_scores_are_no_probabilities():
    """The method is not there, as scikit-learn's tools ask."""
    assert not hasattr(MLPClassifier(loss=MeanSquaredError()), "predict_proba")
    assert hasattr(MLPClassifier(), "predict_proba")


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "adamm"},
        {"val_fraction": 2.0},
        {"scale": "robust"},
        {"loss": SoftmaxCrossEntropy(class_weights=[1, 2, 3])},
    ],
)
def test_options_out_of_range(options):
    """By name."""
    with pytest.raises(ValueError, match=f"{next(iter(options))} must|class_weights must"):
        MLPClassifier(**options).fit(pd.DataFrame({"a": [0.0, 1, 2, 3]}), [0, 1, 0, 1])
