"""What is known about a task before the first step: what is wanted, and on which inputs."""

from math import sqrt

import numpy as np

from mlp.data import Batches, Part
from mlp.nn import BinaryCrossEntropy, Loss, MeanSquaredError, SoftmaxCrossEntropy
from mlp.training.inspection import TaskFacts

N_ROWS, MIN_ROWS = 256, 10  # of a part, to tell it from another
ROUNDING = 1e-5  # what a variance in float32 may be wrong by, relative to the square of the mean
RANGES = {
    "softmax": (0.0, 1.0),
    "sigmoid": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "scaled_tanh": (-1.7159, 1.7159),
}


def facts_about(loss: Loss, n_out: int, train: Part, val: Part | None) -> TaskFacts:
    """Look at the training labels, and at some inputs of both parts."""
    x, labels = _inputs(train), train.labels
    targets = loss.target_values(n_out) if labels.ndim == 1 else (labels.min(), labels.max())
    shift = shift_z2 = None
    if val is not None and val is not train and len(val) >= MIN_ROWS:
        shift, shift_z2 = distance(x, _inputs(val))
    return TaskFacts(
        chance_loss=chance_loss(loss, n_out, labels),
        input_rms=float(np.sqrt(np.square(x).mean())),
        shift=shift,
        shift_z2=shift_z2,
        outputs=RANGES.get(loss.output_activation),
        targets=(float(targets[0]), float(targets[1])),
    )


def chance_loss(loss: Loss, n_out: int, labels: np.ndarray) -> float | None:
    """Return the loss of the best constant answer; None for a loss of one's own.

    Of a cross-entropy that is the entropy of the targets, at most ln C for a softmax over C
    classes, and of the squared error half their variance.

    Parameters
    ----------
    loss : Loss
    n_out : int
        Outputs of the network.
    labels : ndarray of shape (n,), int64, or (n, n_out)
    """
    if labels.ndim == 2:
        return 0.5 * float(labels.var(axis=0).sum())
    counts = np.bincount(labels, minlength=max(n_out, 2)) * np.array(loss.class_weights or 1.0)
    share = counts / counts.sum()
    if n_out == 1:
        share = share[1:]
    low, high = loss.target_values(n_out)
    t = low + (high - low) * share
    match loss:
        case SoftmaxCrossEntropy():
            return _entropy(t)
        case BinaryCrossEntropy():
            return _entropy(t) + _entropy(1 - t)
        case MeanSquaredError():
            return 0.5 * (high - low) ** 2 * float(np.sum(share * (1 - share)))
    return None


def distance(x: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Return how far two samples of inputs are apart, feature by feature, and how surely.

    Compared are the means of x and of x², which a change of place, scale or noise moves.

    Parameters
    ----------
    x, other : ndarray of shape (n, n_in)

    Returns
    -------
    shift : float
        RMS over the features of the difference in standard deviations.
    shift_z2 : float
        Mean over the features of the squared difference in standard errors; about 1 for samples
        of the same distribution.
    """
    centre = x.mean(axis=0)
    means, variances = _moments(x - centre)
    other_means, other_variances = _moments(other - centre)
    n, m = len(x), len(other)
    # One variance for both: that of a few rows alone may be next to nothing.
    variances = (n * variances + m * other_variances) / (n + m)
    varies = variances > 0
    if not varies.any():
        return 0.0, 0.0
    square = float(np.mean(np.square(means - other_means)[varies] / variances[varies]))
    return sqrt(square), square * n * m / (n + m)


def _moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the means of x and of x², and their variances; ``x`` is overwritten."""
    weights = np.full(len(x), 1 / len(x), x.dtype)  # products are many times faster than sums
    mean = weights @ x
    square = weights @ np.square(x, out=x)
    fourth = weights @ np.square(x, out=x)
    means = np.hstack([mean, square])
    variances = np.hstack([square, fourth]) - np.square(means)
    return means, np.where(variances > ROUNDING * np.square(means), variances, 0)


def _entropy(shares: np.ndarray) -> float:
    shares = shares[shares > 0]
    return -float(np.sum(shares * np.log(shares)))


def _inputs(part: Part) -> np.ndarray:
    """Return some inputs, evenly chosen."""
    return next(Batches(part.spread(N_ROWS), N_ROWS).in_order())[0]
