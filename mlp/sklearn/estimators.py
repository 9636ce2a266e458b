"""Estimators that pass scikit-learn's own checks, over the same network and trainer."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from numbers import Integral
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, MultiOutputMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

import mlp.nn as nn
from mlp.base import DataError, between, generator
from mlp.data import Part, Parts, fit_scaler, split_rows
from mlp.training import Classification, Predictor, Regression, Task, Trainer

OPTIMIZERS: dict[str, Callable[[], nn.Optimizer]] = {
    optimizer.__name__.lower(): optimizer
    for optimizer in (
        nn.SGD, nn.Momentum, nn.Nesterov, nn.Adam, nn.AdamW, nn.NAdam, nn.RMSprop, nn.Adagrad
    )
}  # fmt: skip
DTYPES = [np.float64, np.float32]  # what the network computes in; others become the first


class _Estimator(BaseEstimator):  # type: ignore[misc]
    """What both estimators have in common: parameters, fitting, raw answers."""

    def __init__(
        self,
        hidden_sizes: int | Sequence[int] = (128, 64),
        activation: str | Sequence[str] = "relu",
        *,
        dropout: float = 0.0,
        batch_norm: bool = False,
        l2: float = 0.0,
        loss: nn.Loss | None = None,
        optimizer: str | nn.Optimizer = "adam",
        lr: float | None = None,
        schedule: nn.Schedule | None = None,
        batch_size: int = 128,
        max_epochs: int = 100,
        patience: int | None = 10,
        val_fraction: float | None = 0.1,
        scale: Literal["unit", "standardize", "none"] = "standardize",
        random_state: Any = None,
    ) -> None:
        self.hidden_sizes = hidden_sizes
        self.activation = activation
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.l2 = l2
        self.loss = loss
        self.optimizer = optimizer
        self.lr = lr
        self.schedule = schedule
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.patience = patience
        self.val_fraction = val_fraction
        self.scale = scale
        self.random_state = random_state

    def _fit(
        self, x: np.ndarray, y: np.ndarray, task: Task, loss: nn.Loss, names: Sequence[str]
    ) -> Self:
        """Train on ``x`` of shape (n, n_in) and targets as the task has them."""
        seed = int(check_random_state(self.random_state).randint(2**31))
        parts = task.prepare(self._parts(x, y, seed))
        sizes: Any = self.hidden_sizes
        model = nn.MLP(
            [int(sizes)] if isinstance(sizes, Integral) else sizes,
            self.activation,
            dropout=self.dropout,
            batch_norm=self.batch_norm,
            l2=self.l2,
            dtype=str(x.dtype),  # type: ignore[arg-type]
        )
        trainer = Trainer(
            max_epochs=self.max_epochs, batch_size=self.batch_size, patience=self.patience
        )
        network = model.build(x.shape[1], len(names), loss, generator(seed, "init"))
        schedule = deepcopy(self.schedule) or nn.Constant()
        outcome = trainer.fit(network, self._optimizer(), schedule, parts, seed, task=task)
        self.history_, self.n_iter_ = outcome.history, outcome.epochs
        self.best_epoch_, batch_size = outcome.best_epoch, trainer.eval_batch_size
        self.predictor_ = Predictor(
            network, parts.scaler, names, batch_size, task, parts.train.target_scaler
        )
        return self

    def _parts(self, x: np.ndarray, y: np.ndarray, seed: int) -> Parts:
        """Return the rows that train and those that validate; too few to split all train."""
        train, val = np.arange(len(x)), None
        if self.val_fraction is not None:
            between(0, 1, val_fraction=self.val_fraction)
            rng = generator(seed, "split")
            with suppress(DataError):
                train, val = split_rows(y, "stratified", self.val_fraction, None, rng)
        scaler = fit_scaler(self.scale, x, train)
        val_part = None if val is None else Part(x, y, val, scaler)
        return Parts(Part(x, y, train, scaler), val_part, None, scaler)

    def _optimizer(self) -> nn.Optimizer:
        """Return an optimizer of this fit's own."""
        if isinstance(self.optimizer, str):
            if self.optimizer not in OPTIMIZERS:
                names = ", ".join(OPTIMIZERS)
                raise ValueError(f"optimizer must be one of {names}, got {self.optimizer!r}")
            optimizer = OPTIMIZERS[self.optimizer]()
        else:
            optimizer = deepcopy(self.optimizer)
        return optimizer if self.lr is None else replace(optimizer, lr=self.lr)

    def _answers(self, x: ArrayLike) -> np.ndarray:
        check_is_fitted(self)
        rows: np.ndarray = validate_data(self, x, dtype=DTYPES, reset=False)
        answers: np.ndarray = self.predictor_.answers(rows)
        return answers


def _gives_probabilities(classifier: "MLPClassifier") -> bool:
    return classifier.loss is None or classifier.loss.gives_probabilities


class MLPClassifier(ClassifierMixin, _Estimator):  # type: ignore[misc]
    """A multilayer perceptron that tells classes apart.

    Parameters
    ----------
    hidden_sizes : int or sequence of int
        Units of each hidden layer; a number is that of the only one. Empty for a linear model.
    activation : str or sequence of str
        Of all hidden layers, or one for each.
    dropout : float
        Probability that a hidden unit is left out of a training step.
    batch_norm : bool
    l2 : float
        Adds l2 / 2 · Σw² to the loss.
    loss : mlp.nn.Loss, optional
        Softmax with cross-entropy by default.
    optimizer : str or mlp.nn.Optimizer
        Its class in lower case, or an object, of which a copy is used.
    lr : float, optional
        Learning rate; by default the optimizer's own.
    schedule : mlp.nn.Schedule, optional
        Constant by default.
    batch_size, max_epochs : int
    patience : int or None
        Epochs without a better loss on the validation rows that end the training.
    val_fraction : float or None
        Share of the rows to validate on, stratified. The best epoch's weights are kept. With None,
        or where there are too few rows to hold any out, all rows train for ``max_epochs``.
    scale : {"unit", "standardize", "none"}
        How the inputs are scaled.
    random_state : int, RandomState or None

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        When fitted on a frame.
    n_iter_, best_epoch_ : int
        Epochs that were trained, and the one whose weights were kept.
    history_ : list of dict
        The metrics of each epoch.
    predictor_ : mlp.training.Predictor
        With the network as ``predictor_.network``.

    Notes
    -----
    The network computes in the dtype of ``X``, float32 or float64. Weights of samples are not
    supported: a minibatch of them is not what a weighted mean over all rows would be.
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train on ``X`` of shape (n, n_features) and labels ``y`` of shape (n,)."""
        rows, labels = validate_data(self, X, y, dtype=DTYPES)
        check_classification_targets(labels)
        self.classes_, indices = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y holds one class only ({self.classes_[0]}); two are needed")
        loss = self.loss or nn.SoftmaxCrossEntropy()
        loss.check(len(self.classes_))
        return self._fit(rows, indices, Classification(), loss, list(map(str, self.classes_)))

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the most probable class of each row, of shape (n,)."""
        answers = self._answers(X)
        labels: np.ndarray = self.classes_[answers.argmax(axis=1)]
        return labels

    @available_if(_gives_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Return the probability of each class, of shape (n, n_classes), if the loss gives them."""
        return self._answers(X)


class MLPRegressor(MultiOutputMixin, RegressorMixin, _Estimator):  # type: ignore[misc]
    """A multilayer perceptron that predicts numbers.

    It is trained on standardised targets with the squared error, and answers in their own units.
    Parameters and attributes are those of `MLPClassifier`, but for ``classes_``; ``loss`` must have
    linear outputs.
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train on ``X`` of shape (n, n_features) and ``y`` of shape (n,) or (n, n_targets)."""
        rows, numbers = validate_data(self, X, y, dtype=DTYPES, multi_output=True, y_numeric=True)
        self._is_single = numbers.ndim == 1
        targets = numbers.reshape(len(numbers), -1).astype(np.float64)
        task, loss = Regression(), self.loss or nn.MeanSquaredError("identity")
        task.check(loss)
        return self._fit(rows, targets, task, loss, [f"y{i}" for i in range(targets.shape[1])])

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the numbers, in the form of the ``y`` that was fitted."""
        answers = self._answers(X)
        return answers[:, 0] if self._is_single else answers
