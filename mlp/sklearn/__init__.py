"""The network and the trainer as estimators of scikit-learn."""

from mlp.sklearn.estimators import MLPClassifier, MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
