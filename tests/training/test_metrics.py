"""Loss, accuracy and figures per class, against scikit-learn and by hand."""

import tracemalloc

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix as sklearn_confusion
from sklearn.metrics import precision_recall_fscore_support

from mlp.training import (
    Evaluator,
    confusion_matrix,
    higher_is_better,
    most_confused,
    per_class,
)


@pytest.mark.parametrize("batch_size", [1, 7, 20, 1000])
def test_evaluation(make_network, make_parts, batch_size):
    """Mean over all examples, whatever the batches; dropout is off."""
    network, part = make_network(dropout=0.5, batch_norm=True, l2=1.0), make_parts().val
    result = Evaluator(network, part, batch_size)()
    x, y = part.x[part.rows], part.y[part.rows]
    ws = network.workspace(len(x))
    np.testing.assert_allclose(result.loss, network.mean_loss(x, y, ws), rtol=1e-6)
    np.testing.assert_allclose(result.answers, ws.loss.a, rtol=1e-5)
    np.testing.assert_array_equal(result.labels, y)
    assert result.metrics["accuracy"] == (result.predictions == y).mean()


def test_evaluation_again(make_network, make_parts):
    """A second call sees the network's new parameters, and equal ones give equal bits."""
    network, part = make_network(), make_parts().val
    evaluate = Evaluator(network, part, 8)
    loss = evaluate().loss
    network.params *= 2
    assert evaluate().loss != loss
    network.params /= 2
    assert evaluate().loss == loss


def test_direction():
    """Losses fall, accuracies rise."""
    assert higher_is_better("val/accuracy")
    assert not higher_is_better("train/loss")
    assert not higher_is_better("val/pinball_loss")
    assert higher_is_better("val/neg_max_error")


@pytest.fixture
def labels_and_predictions():
    """Five classes, of which 3 never occurs and 4 is never predicted."""
    rng = np.random.default_rng(0)
    labels = rng.choice([0, 1, 2, 4], 200)
    return labels, np.where(rng.random(200) < 0.7, labels % 4, rng.integers(0, 4, 200))


def test_confusion_matrix(labels_and_predictions):
    """True class by row, predicted class by column."""
    confusion = confusion_matrix(np.array([0, 0, 1]), np.array([0, 2, 1]), 3)
    assert confusion.tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 0]]
    expected = sklearn_confusion(*labels_and_predictions, labels=range(5))
    np.testing.assert_array_equal(confusion_matrix(*labels_and_predictions, 5), expected)


def test_figures_per_class(labels_and_predictions):
    """Classes that never occur, or are never predicted, count as 0."""
    figures = per_class(*labels_and_predictions, 5)
    precision, recall, f1, support = precision_recall_fscore_support(
        *labels_and_predictions, labels=range(5), zero_division=0
    )
    np.testing.assert_allclose(figures.precision, precision)
    np.testing.assert_allclose(figures.recall, recall)
    np.testing.assert_allclose(figures.f1, f1)
    np.testing.assert_array_equal(figures.support, support)


def test_most_confused_takes_the_classes_with_the_most_mistakes():
    labels, predictions = np.array([0, 0, 1, 2, 3, 3]), np.array([0, 2, 1, 2, 2, 1])
    shown, counts = most_confused(
        labels, predictions, 5, most=2
    )  # 2 and 3 take part in two mistakes each
    assert shown.tolist() == [2, 3]
    assert counts.tolist() == [[1, 0], [1, 0]]
    everything, counts = most_confused(labels, predictions, 5, most=9)
    assert everything.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(counts, confusion_matrix(labels, predictions, 5))


def test_memory_does_not_grow_with_the_square_of_the_number_of_classes():
    labels = np.arange(20_000)
    tracemalloc.start()
    per_class(labels, labels, 20_000)
    _, counts = most_confused(labels, np.roll(labels, 1), 20_000, most=30)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert counts.shape == (30, 30)
    assert peak < 20e6  # the whole matrix has 3.2 GB
