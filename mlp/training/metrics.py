"""How good a network is on a part of the data: loss, accuracy, confusion, figures per class."""

from dataclasses import dataclass

import numpy as np

from mlp.data import Batches, Part
from mlp.nn import Network


def higher_is_better(metric: str) -> bool:
    """Tell the direction of a metric from its name: an accuracy is to rise, a loss to fall."""
    return metric.endswith("accuracy")


@dataclass(frozen=True)
class Evaluation:
    """The result of an evaluation.

    Attributes
    ----------
    loss : float
        Mean over the examples, without penalties.
    accuracy : float
        Share of the examples whose highest score is their own class's; in [0, 1].
    scores : ndarray of shape (n_examples, n_classes)
        The network's outputs; class probabilities if the loss gives them.
    labels : ndarray of shape (n_examples,), int64
    """

    loss: float
    accuracy: float
    scores: np.ndarray
    labels: np.ndarray

    @property
    def predictions(self) -> np.ndarray:
        """Class with the highest score, of shape (n_examples,), int64."""
        predictions: np.ndarray = self.scores.argmax(axis=1)
        return predictions


def count_correct(scores: np.ndarray, labels: np.ndarray) -> int:
    """Count the rows whose highest score is their class's.

    Parameters
    ----------
    scores : ndarray of shape (n, n_classes)
    labels : ndarray of shape (n,), int64
    """
    return int(np.count_nonzero(scores.argmax(axis=1) == labels))


class Evaluator:
    """Evaluates a network on one part of the data, in buffers made once.

    Parameters
    ----------
    network : Network
    part : Part
    batch_size : int
        It bounds the memory. Equal batch sizes give equal bits.
    """

    def __init__(self, network: Network, part: Part, batch_size: int) -> None:
        self.network, self.part = network, part
        n_batch = min(batch_size, len(part))
        self._batches = Batches(part, n_batch, network.dtype)
        self._ws = network.workspace(n_batch)
        self._scores = np.empty((len(part), network.n_out), network.dtype)

    def __call__(self) -> Evaluation:
        """Return the figures for the network's present parameters.

        Its ``scores`` are a buffer of this evaluator, valid until the next call.
        """
        loss, start = 0.0, 0
        for x, y in self._batches.in_order():
            ws = self._ws.rows(len(x))
            loss += self.network.mean_loss(x, y, ws) * len(x)
            self._scores[start : start + len(x)] = ws.loss.a
            start += len(x)
        labels = self.part.labels
        accuracy = count_correct(self._scores, labels) / len(labels)
        return Evaluation(loss / len(labels), accuracy, self._scores, labels)

    def first_nonfinite(self) -> str | None:
        """Name the first place where a value is NaN or infinite; see the network's method."""
        found = (
            self.network.first_nonfinite(x, self._ws.rows(len(x)))
            for x, _ in self._batches.in_order()
        )
        return next(filter(None, found), None)


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray, n_classes: int) -> np.ndarray:
    """Count how often each class was predicted as each.

    Parameters
    ----------
    labels, predictions : ndarray of shape (n_examples,), int64
    n_classes : int

    Returns
    -------
    ndarray of shape (n_classes, n_classes), int64
        True class by row, predicted class by column.
    """
    pairs = np.asarray(labels) * n_classes + predictions
    return np.bincount(pairs, minlength=n_classes**2).reshape(n_classes, n_classes)


def most_confused(
    labels: np.ndarray, predictions: np.ndarray, n_classes: int, most: int
) -> tuple[np.ndarray, np.ndarray]:
    """Choose the classes that take part in the most mistakes.

    Memory grows with the number of classes, not with its square.

    Parameters
    ----------
    labels, predictions : ndarray of shape (n_examples,), int64
    n_classes, most : int

    Returns
    -------
    shown : ndarray of shape (at most ``most``,), int64
        These classes, in order.
    counts : ndarray of shape (n_shown, n_shown), int64
        The confusion matrix among them: true class by row, predicted class by column.
    """
    wrong = labels != predictions
    involved = np.concatenate([labels[wrong], predictions[wrong]])
    n_mistakes = np.bincount(involved, minlength=n_classes)
    shown = np.sort(np.argsort(-n_mistakes, kind="stable")[:most])
    among = np.isin(labels, shown) & np.isin(predictions, shown)
    rows, columns = (np.searchsorted(shown, x[among]) for x in (labels, predictions))
    return shown, confusion_matrix(rows, columns, len(shown))


@dataclass(frozen=True)
class ClassFigures:
    """Figures of each class, each an ndarray of shape (n_classes,).

    A class that is never predicted has precision 0, one that never occurs has recall 0.
    """

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    support: np.ndarray


def per_class(labels: np.ndarray, predictions: np.ndarray, n_classes: int) -> ClassFigures:
    """Return precision, recall, their harmonic mean F1, and the number of examples, by class.

    Memory grows with ``n_classes``, not with its square as that of a confusion matrix does.

    Parameters
    ----------
    labels, predictions : ndarray of shape (n_examples,), int64
    n_classes : int
    """
    correct, support, predicted = (
        np.bincount(classes, minlength=n_classes)
        for classes in (labels[labels == predictions], labels, predictions)
    )
    precision = correct / np.maximum(predicted, 1)
    recall = correct / np.maximum(support, 1)
    f1 = 2 * correct / np.maximum(support + predicted, 1)
    return ClassFigures(precision, recall, f1, support)
