"""Figures per class: the confusion matrix, precision and recall."""

from dataclasses import dataclass

import numpy as np


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
