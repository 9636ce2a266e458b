"""Figures of an evaluation of classes: what is taken for what, and the worst mistakes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

import mlp.reports.figure_style as style
from mlp.base import counted
from mlp.data import Part
from mlp.training import Evaluation, confusion_matrix

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_CLASSES = 30  # of a confusion matrix that can be read
MAX_BARS = 25  # where there are more classes
ROWS, COLUMNS = 5, 4  # of the gallery of mistakes
CAPTION = 0.62  # inches, the height of a caption


@style.styled()
def confusion(
    evaluation: Evaluation, part: Part, classes: Sequence[str], image_shape: Sequence[int] | None
) -> "Figure":
    """Return what is taken for what: a matrix, or bars where it would be too large to be read."""
    n_classes = len(classes)
    title = f"{evaluation.metrics['accuracy']:.2%} of {len(evaluation.labels):,} correct"
    if n_classes > MAX_CLASSES:
        return _confused_pairs(evaluation, classes, f"{title}; {n_classes:,} classes")
    counts = confusion_matrix(evaluation.labels, evaluation.predictions, n_classes)
    return _matrix(counts, [style.truncated(name) for name in classes], title)


def _matrix(counts: np.ndarray, names: Sequence[str], title: str) -> "Figure":
    """Return a confusion matrix, each number on its share of the true class."""
    from matplotlib.colors import PowerNorm

    n = len(names)
    figure, axes = style.subplots(7.0)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    norm = PowerNorm(0.4, 0, 1)  # a mistake of one in a hundred is still seen
    image = axes.imshow(shares, cmap="Blues", norm=norm)
    axes.set(title=title, xlabel="predicted class", ylabel="true class")
    axes.grid(False)
    axes.spines[["top", "right"]].set_visible(True)
    size = float(np.clip(200 / n, 6.5, 11))
    turned = style.slanted(45) if max(map(len, names)) > 2 else {}
    axes.set_xticks(range(n), names, fontsize=size, **turned)
    axes.set_yticks(range(n), names, fontsize=size)
    for i, j in zip(*np.nonzero(counts), strict=True):
        colour = "white" if norm(shares[i, j]) > 0.55 else "black"
        axes.text(j, i, f"{counts[i, j]}", ha="center", va="center", color=colour, fontsize=size)
    bar = figure.colorbar(image, ax=axes, shrink=0.6, aspect=30, format="{x:.0%}")
    bar.set_label("share of the true class")
    bar.set_ticks([0, 0.01, 0.05, 0.2, 0.5, 1])
    return figure


def _confused_pairs(evaluation: Evaluation, classes: Sequence[str], title: str) -> "Figure":
    """Return the most frequent confusions, and the classes that are recognised least often."""
    labels, predictions, n = evaluation.labels, evaluation.predictions, len(classes)
    names = [style.truncated(name) for name in classes]
    occurring = np.bincount(labels, minlength=n)
    wrong = labels != predictions
    pairs, counts = np.unique(labels[wrong] * n + predictions[wrong], return_counts=True)
    frequent = np.lexsort((-counts / occurring[pairs // n], -counts))[:MAX_BARS]
    true, predicted = np.divmod(pairs[frequent], n)
    right = np.bincount(labels[~wrong], minlength=n)
    recall = right / np.maximum(occurring, 1)
    missed = np.flatnonzero(right < occurring)
    missed = missed[np.argsort(recall[missed], kind="stable")[:MAX_BARS]]

    figure, (left, other) = style.subplots(1.3 + 0.22 * MAX_BARS, 1, 2)
    taken = [f"{names[t]} → {names[p]}" for t, p in zip(true, predicted, strict=True)]
    shares = [f"{c} of {occurring[t]}" for c, t in zip(counts[frequent], true, strict=True)]
    _bars(left, taken, counts[frequent], shares, style.ORANGE)
    left.set(title="Most frequent mistakes, true → predicted", xlabel="examples")
    found = [f"{right[i]} of {occurring[i]}" for i in missed]
    _bars(other, [names[i] for i in missed], recall[missed], found, style.BLUE)
    other.set(title="Classes recognised least often", xlabel="share recognised (recall)")
    other.xaxis.set_major_formatter("{x:.0%}")
    figure.suptitle(title)
    return figure


def _bars(
    axes: "Axes", names: Sequence[str], lengths: np.ndarray, labels: Sequence[str], colour: str
) -> None:
    """Draw horizontal bars from the top, a label at the end of each."""
    from matplotlib.ticker import MaxNLocator

    places = np.arange(len(names))
    bars = axes.barh(places, lengths, 0.75, color=colour)
    axes.bar_label(bars, labels, padding=3, fontsize=7.5)
    axes.set_yticks(places, names, fontsize=8)
    axes.set_ylim(MAX_BARS - 0.4, -0.6)  # bars of the same height, however few there are
    axes.set_xlim(0, 1.25 * (max(lengths, default=0) or 1))
    whole = np.issubdtype(lengths.dtype, np.integer)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=whole))
    axes.grid(axis="y", visible=False)


def most_confident_mistakes(labels: np.ndarray, scores: np.ndarray, n: int) -> np.ndarray:
    """Return the indices of the wrong predictions with the highest scores.

    Parameters
    ----------
    labels : ndarray of shape (n_examples,), int64
    scores : ndarray of shape (n_examples, n_classes)
    n : int
        How many at most.

    Returns
    -------
    ndarray of int64
        The most confident first.
    """
    wrong = np.flatnonzero(scores.argmax(axis=1) != labels)
    return wrong[np.argsort(-scores[wrong].max(axis=1), kind="stable")[:n]]


@style.styled()
def mistakes(
    evaluation: Evaluation, part: Part, classes: Sequence[str], image_shape: Sequence[int] | None
) -> "Figure":
    """Return the most confident mistakes as images, or as bars of their scores."""
    labels, scores = evaluation.labels, evaluation.answers
    n_wrong = np.count_nonzero(evaluation.predictions != labels)
    worst = most_confident_mistakes(labels, scores, ROWS * COLUMNS)
    which = f"The {len(worst)} most confident of" if n_wrong > len(worst) else "All"
    title = f"{which} {n_wrong:,} mistakes" if n_wrong > 1 else f"{n_wrong or 'No'} mistake"
    title += f" in {counted(len(labels), 'example')}"
    true, predicted = labels[worst], scores[worst].argmax(axis=1)
    tops, rights = scores[worst].max(axis=1), scores[worst, true]
    unit = "probability" if _are_probabilities(scores) else "score"
    names = [style.truncated(name) for name in classes]
    if image_shape is None or not n_wrong:
        pairs = [
            f"{names[t]} → {names[p]}  (#{i})"
            for t, p, i in zip(true, predicted, worst, strict=True)
        ]
        axis = f"{unit} that the network gave (#: the example's number, from 0)"
        return _score_bars(pairs, tops, rights, title, axis)
    x = part.x[worst if part.rows is None else part.rows[worst]]
    told = "{:.1%}" if unit == "probability" else "{:.2f}"
    captions = [
        (f"{names[p]}\npredicted, {told.format(top)}", f"{names[t]}\ntrue, {told.format(right)}")
        for p, top, t, right in zip(predicted, tops, true, rights, strict=True)
    ]
    title += f"\nwith the {unit} that the network gave to its prediction and to the truth"
    return _gallery(x.reshape(-1, *image_shape).astype(np.float32), captions, title)


def _are_probabilities(scores: np.ndarray) -> bool:
    """Tell whether the scores of each example are a distribution."""
    return scores.min() >= 0 and np.allclose(scores.sum(axis=1), 1, atol=1e-3)


def _gallery(images: np.ndarray, captions: Sequence[tuple[str, str]], title: str) -> "Figure":
    """Return images of shape (n, height, width) in rows, beside each what is predicted and true."""
    height, width = images.shape[1:]
    beside = width + width // 4
    inch = (width + beside) * COLUMNS / style.WIDTH  # in pixels of an image
    gap = round(max(0.15 * height, CAPTION * inch - height, 1))
    ink = images - images.min()
    ink /= max(ink.max(), 1e-12)
    room = np.full((len(images), height, beside - gap), np.nan, np.float32)
    canvas = style.tiled(np.concatenate([ink, room], axis=2), COLUMNS, gap)
    figure, axes = style.subplots(canvas.shape[0] / inch + 0.6)
    axes.imshow(canvas, cmap="Greys", vmin=0, vmax=1, interpolation="nearest")
    for i, caption in enumerate(captions):
        row, column = divmod(i, COLUMNS)
        x, y = column * (width + beside) + 1.08 * width - 0.5, row * (height + gap) + height / 2
        above, below = {"va": "bottom", "color": style.ORANGE}, {"va": "top", "color": style.BLUE}
        axes.text(x, y - 0.05 * height - 0.5, caption[0], fontsize=8, **above)
        axes.text(x, y + 0.05 * height - 0.5, caption[1], fontsize=8, **below)
    axes.set_title(title)
    axes.axis("off")
    return figure


def _score_bars(
    names: Sequence[str], predicted: np.ndarray, true: np.ndarray, title: str, axis: str
) -> "Figure":
    """Return the scores of the predicted and of the true class of each example as bars."""
    figure, axes = style.subplots(1.4 + 0.28 * len(names))
    axes.set(title=title, xlabel=axis)
    if not names:
        axes.axis("off")
        return figure
    places = np.arange(len(names))
    axes.barh(places - 0.2, predicted, 0.4, color=style.ORANGE, label="of the predicted class")
    axes.barh(places + 0.2, true, 0.4, color=style.BLUE, label="of the true class")
    axes.set_yticks(places, names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    figure.legend(loc="outside lower center", ncols=2)
    return figure
