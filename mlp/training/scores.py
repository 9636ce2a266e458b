"""The scorers of scikit-learn, asked about answers that a network has given."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mlp.base import DataError

LOWER_IS_BETTER = frozenset({"loss", "penalty", "rmse", "mse", "mae"})


def higher_is_better(metric: str) -> bool:
    """Tell the direction of a metric by its name: losses and errors are to fall.

    Such are ``loss``, ``rmse`` and ``pinball_loss``. Every scorer of scikit-learn is to rise: of
    its errors the negative is taken, as in ``neg_max_error``.
    """
    name = metric.rpartition("/")[2]
    is_loss = name in LOWER_IS_BETTER or name.endswith(("_loss", "_error"))
    return name.startswith("neg_") or not is_loss


def scorer_names() -> list[str]:
    """Return the names that scikit-learn's ``scoring=`` takes."""
    from sklearn.metrics import get_scorer_names

    return list(get_scorer_names())


def measure(names: Sequence[str], answers: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Return the values of scorers by name.

    Parameters
    ----------
    names : sequence of str
        As in scikit-learn's ``scoring=``.
    answers : ndarray of shape (n, n_classes) or (n, n_targets)
        A score for each class, or numbers.
    y : ndarray of shape (n,), int64, or (n, n_targets), float64

    Raises
    ------
    DataError
        For a scorer that cannot be computed from these answers.
    """
    if not names:
        return {}
    from sklearn.metrics import get_scorer

    model = _given(answers, y)
    values = {}
    for name in names:
        try:
            values[name] = float(get_scorer(name)(model, None, y))
        except (ValueError, TypeError, AttributeError) as error:
            reason = str(error).partition("\n")[0]
            raise DataError(f"task.metrics: {name} cannot be measured here: {reason}") from None
    return values


def _given(answers: np.ndarray, y: np.ndarray) -> Any:
    """Return an estimator that has been fitted and asked already: what a scorer calls."""
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

    class Classifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
        classes_ = np.arange(answers.shape[1])

        def predict_proba(self, x: None) -> np.ndarray:
            return answers

        def predict(self, x: None) -> np.ndarray:
            predictions: np.ndarray = answers.argmax(axis=1)
            return predictions

    class Regressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
        def predict(self, x: None) -> np.ndarray:
            return answers

    return Classifier() if y.ndim == 1 else Regressor()
