"""Tasks: what the targets of the data are, and how well a network's outputs answer them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import ClassVar

import numpy as np

from mlp.base import DataError, closest
from mlp.data import Dataset, Part, Parts, Targets, TargetScaler
from mlp.nn import Loss, SoftmaxCrossEntropy
from mlp.training.scores import measure, scorer_names


@dataclass(frozen=True)
class Task(ABC):
    """What a network is to predict.

    A task of your own says what its targets are and what a network's outputs mean.

    Parameters
    ----------
    metrics : sequence of str
        Measured besides the task's own: names of scikit-learn's scorers, such as ``f1_macro``,
        ``roc_auc_ovr`` or ``neg_max_error``. Each can be monitored, and a higher one is better.

    Attributes
    ----------
    targets : {"classes", "numbers"}
        Whether the data are to give class indices, of shape (n,), or numbers, of shape
        (n, n_targets).
    own_metrics : tuple of str
        What `measure` gives without being asked. Of ``rmse``, ``mse``, ``mae`` and whatever ends in
        ``_error`` or ``_loss`` a lower value is better, of others a higher one.
    train_metric : str
        The one of them that is measured in training as well.
    figures : tuple of str
        Names of figures of :mod:`mlp.reports` that show an evaluation.
    """

    metrics: Sequence[str] = ()

    targets: ClassVar[Targets]
    own_metrics: ClassVar[tuple[str, ...]]
    train_metric: ClassVar[str]
    figures: ClassVar[tuple[str, ...]]

    def __post_init__(self) -> None:
        for name in self.metrics:
            if name not in (names := scorer_names()):
                raise ValueError(
                    f"metrics must be names of scikit-learn's scorers, got {name!r}"
                    f"{closest(name, names)}"
                )

    def check(self, loss: Loss) -> None:
        """Raise ValueError if a loss makes no sense for this task; it begins with ``loss``."""

    def check_monitor(self, monitor: str) -> None:
        """Raise ValueError unless a training for this task measures ``monitor``."""
        measured = ["val/loss", *(f"val/{name}" for name in (*self.own_metrics, *self.metrics))]
        measured += ["train/loss", f"train/{self.train_metric}"]
        if monitor not in measured:
            hint = closest(monitor, measured) or "; task.metrics adds more"
            raise ValueError(f"monitor must be one of {', '.join(measured)}, got {monitor!r}{hint}")

    def prepare(self, parts: Parts) -> Parts:
        """Return the parts with targets as the network is to be trained on."""
        return parts

    @abstractmethod
    def n_out(self, dataset: Dataset) -> int:
        """Return the number of the network's outputs; DataError if the data do not fit."""

    @abstractmethod
    def answers(self, outputs: np.ndarray, scaler: TargetScaler | None) -> np.ndarray:
        """Return what the outputs of a network mean.

        Parameters
        ----------
        outputs : ndarray of shape (n, n_out)
        scaler : TargetScaler or None
            Of the numbers it was trained on.

        Returns
        -------
        ndarray of shape (n, n_classes) or (n, n_targets)
            A score for each class, or numbers in the targets' own units; it may be ``outputs``.
        """

    @abstractmethod
    def batch_score(self, outputs: np.ndarray, y: np.ndarray, scaler: TargetScaler | None) -> float:
        """Return the sum over a training batch's rows of what ``train_metric`` is made of.

        Parameters
        ----------
        outputs : ndarray of shape (n_batch, n_out)
        y : ndarray of shape (n_batch,) or (n_batch, n_targets)
            As the network is trained on.
        scaler : TargetScaler or None
        """

    @abstractmethod
    def train_value(self, mean_score: float) -> float:
        """Return the value of ``train_metric`` for a mean of ``batch_score`` over the rows."""

    @abstractmethod
    def measure(self, answers: np.ndarray, y: np.ndarray) -> dict[str, float]:
        """Return the metrics by name, those that were asked for included.

        Parameters
        ----------
        answers : ndarray
            As `answers` returns.
        y : ndarray of shape (n,), int64, or (n, n_targets), float64
            In the targets' own units.
        """


@dataclass(frozen=True)
class Classification(Task):
    """One of several classes, an output for each."""

    targets = "classes"
    own_metrics = ("accuracy",)
    train_metric = "accuracy"
    figures = ("confusion", "mistakes")

    def n_out(self, dataset: Dataset) -> int:
        """Return the number of classes."""
        return dataset.n_classes

    def answers(self, outputs: np.ndarray, scaler: TargetScaler | None) -> np.ndarray:
        """Return the outputs themselves: class probabilities, if the loss gives them."""
        return outputs

    def batch_score(self, outputs: np.ndarray, y: np.ndarray, scaler: TargetScaler | None) -> float:
        """Return the number of rows whose highest output is their class's."""
        return float(np.count_nonzero(outputs.argmax(axis=1) == y))

    def train_value(self, mean_score: float) -> float:
        """Return the accuracy, in [0, 1]."""
        return mean_score

    def measure(self, answers: np.ndarray, y: np.ndarray) -> dict[str, float]:
        """Return the share of the rows whose highest score is their class's, and what was asked."""
        accuracy = np.count_nonzero(answers.argmax(axis=1) == y) / len(y)
        return {"accuracy": accuracy} | measure(self.metrics, answers, y)


@dataclass(frozen=True)
class BinaryClassification(Classification):
    """One of two classes, by a single output: the probability of the second one."""

    def check(self, loss: Loss) -> None:
        """Refuse a loss whose output is no probability: a softmax, or targets not 0 and 1."""
        if isinstance(loss, SoftmaxCrossEntropy):
            raise ValueError(
                "loss must be one for a single output, such as binary_cross_entropy, for "
                "task=binary; got softmax over one output"
            )
        if (loss.low, loss.high) != (0, 1):
            raise ValueError(
                "loss must have targets 0 and 1 for task=binary, where an output above 0.5 means "
                f"the second class; got {loss.low:g} and {loss.high:g}"
            )

    def n_out(self, dataset: Dataset) -> int:
        """Return 1."""
        if dataset.n_classes != 2:
            raise DataError(
                f"{dataset.name} has {dataset.n_classes} classes, and task=binary needs two: "
                "set task=classification"
            )
        return 1

    def answers(self, outputs: np.ndarray, scaler: TargetScaler | None) -> np.ndarray:
        """Return the probabilities of both classes, of shape (n, 2)."""
        return np.hstack([1 - outputs, outputs])

    def batch_score(self, outputs: np.ndarray, y: np.ndarray, scaler: TargetScaler | None) -> float:
        """Return the number of rows whose output is on their class's side of one half."""
        return float(np.count_nonzero((outputs[:, 0] > 0.5) == y))


@dataclass(frozen=True)
class Regression(Task):
    """One or several numbers, standardised in training and answered in their own units."""

    targets = "numbers"
    own_metrics = ("rmse", "mse", "mae", "r2")
    train_metric = "rmse"
    figures = ("predicted_against_true", "residuals")

    def check(self, loss: Loss) -> None:
        """Refuse an output activation that cannot give every number, and weights of classes."""
        if loss.output_activation != "identity":
            raise ValueError(
                "loss must have linear outputs for task=regression, as loss=squared_error has; "
                f"got {loss.output_activation} outputs"
            )
        if loss.class_weights is not None:
            raise ValueError("loss.class_weights must be null for task=regression: no classes")

    def prepare(self, parts: Parts) -> Parts:
        """Return the parts with targets of mean 0 and deviation 1 in the training part."""
        scaler = TargetScaler.fit(parts.train.labels)

        def scaled(part: Part | None) -> Part | None:
            return part and replace(part, y=scaler.transform(part.y), target_scaler=scaler)

        train, val, test = map(scaled, (parts.train, parts.val, parts.test))
        assert train is not None
        return replace(parts, train=train, val=val, test=test)

    def n_out(self, dataset: Dataset) -> int:
        """Return the number of targets, each of which must vary."""
        y = dataset.y_train
        for name, varies in zip(dataset.targets, (y != y[0]).any(axis=0), strict=True):
            if not varies:
                raise DataError(f"{dataset.name}: the target {name} is the same in all rows")
        return len(dataset.targets)

    def answers(self, outputs: np.ndarray, scaler: TargetScaler | None) -> np.ndarray:
        """Return the outputs in the targets' own units."""
        return scaler.inverse(outputs) if scaler else outputs

    def batch_score(self, outputs: np.ndarray, y: np.ndarray, scaler: TargetScaler | None) -> float:
        """Return the sum of the squared errors, each a mean over the targets."""
        errors: np.ndarray = np.subtract(outputs, y)
        if scaler:
            errors *= scaler.deviation.astype(errors.dtype)
        return float(np.vdot(errors, errors)) / int(errors.shape[1])

    def train_value(self, mean_score: float) -> float:
        """Return the root of the mean squared error."""
        return sqrt(mean_score)

    def measure(self, answers: np.ndarray, y: np.ndarray) -> dict[str, float]:
        """Return RMSE, MSE, MAE and R², and what was asked; means over several targets.

        R² = 1 − Σ(y − ŷ)² / Σ(y − ȳ)², target by target; of a constant target it is 1 when each
        answer is right and 0 otherwise, as in scikit-learn.
        """
        errors = answers - y
        mse = np.square(errors).mean(axis=0)
        varies = (y != y[0]).any(axis=0)  # rounding leaves a constant one a spread above 0
        spread = np.square(y - y.mean(axis=0)).mean(axis=0)
        unexplained = np.divide(mse, spread, where=varies, out=(mse > 0).astype(float))
        return {
            "rmse": sqrt(mse.mean()),
            "mse": float(mse.mean()),
            "mae": float(np.abs(errors).mean()),
            "r2": float((1 - unexplained).mean()),
        } | measure(self.metrics, answers, y)
