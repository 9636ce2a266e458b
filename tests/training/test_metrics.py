"""Loss, accuracy and figures per class, against scikit-learn and by hand."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix as sklearn_confusion
from sklearn.metrics import precision_recall_fscore_support

from mlp.training import Evaluator, confusion_matrix, higher_is_better, per_class


@pytest.mark.parametrize("batch_size", [1, 7, 20, 1000])
def test_evaluation(make_network, make_parts, batch_size):
    """Mean over all examples, whatever the batches; dropout is off."""
    network, part = make_network(dropout=0.5, batch_norm=True, l2=1.0), make_parts().val
    result = Evaluator(network, part, batch_size)()
    x, y = part.x[part.rows], part.y[part.rows]
    ws = network.workspace(len(x))
    np.testing.assert_allclose(result.loss, network.mean_loss(x, y, ws), rtol=1e-6)
    np.testing.assert_allclose(result.scores, ws.loss.a, rtol=1e-5)
    np.testing.assert_array_equal(result.labels, y)
    assert result.accuracy == (result.predictions == y).mean()


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
    figures = per_class(confusion_matrix(*labels_and_predictions, 5))
    precision, recall, f1, support = precision_recall_fscore_support(
        *labels_and_predictions, labels=range(5), zero_division=0
    )
    np.testing.assert_allclose(figures.precision, precision)
    np.testing.assert_allclose(figures.recall, recall)
    np.testing.assert_allclose(figures.f1, f1)
    np.testing.assert_array_equal(figures.support, support)
